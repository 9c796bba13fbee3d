// plugin check: what is wrong with a plugin, found without a server and without a vCenter.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "plugin_check/answering_vcenter.h"
#include "plugin_check/finding.h"

namespace vmcp::plugin_check {

struct CheckOptions {
  std::string file;
  // Started once for the declarations, once for each tool and once for the rest, as `PROGRAM plugin trial …`.
  std::string program = "/proc/self/exe";
  std::uint64_t seed = 1;
  std::size_t calls = 24;           // of each tool, each with arguments of its own
  std::string tool;                 // only this one; empty = all
  std::optional<Json> config = {};  // an object: what start() gets; absent: made up from the plugin's schema
  std::string runner = {};          // program of a process of its own; empty: nothing is compared with one
  // Starts a vCenter for one process of the check, which ends with the last owner of its address, so that
  // what one tool changes is nothing to the next. Null: no call is answered by a vCenter.
  std::function<Result<std::shared_ptr<const VcenterAddress>>()> vcenter = nullptr;
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
