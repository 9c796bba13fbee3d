// plugin check: what is wrong with a plugin, found without a server and without a vCenter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plugin_check/finding.h"

namespace vmcp::plugin_check {

struct CheckOptions {
  std::string file;
  // Started once for the declarations and once for each tool, as `PROGRAM plugin trial …`.
  std::string program = "/proc/self/exe";
  std::uint64_t seed = 1;
  std::size_t calls = 24;      // of each tool, each with arguments of its own
  std::string tool;            // only this one; empty = all
  milliseconds stall{10'000};  // a plugin that is in one hook or call for longer does not return
};

struct CheckReport {
  std::string file, id, version, sha256;
  std::uint64_t seed = 1;
  std::size_t tools = 0, calls = 0;  // that were called, and how often
  Findings findings;
  std::vector<std::string> notes;  // what could not be checked
};

// An error only when the file cannot be read or the program cannot be started; all else is a finding.
Result<CheckReport> check_plugin(const CheckOptions& options);

std::string report_text(const CheckReport& report);
std::string report_json(const CheckReport& report);

}  // namespace vmcp::plugin_check
