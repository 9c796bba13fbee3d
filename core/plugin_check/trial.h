// What the child process of a check does with a plugin. Everything that runs foreign code is here and in
// subject.cpp.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace vmcp::plugin_check {

struct TrialOptions {
  std::string file;
  std::string tool;  // empty: declarations and life cycle; else the calls of this tool
  std::uint64_t seed = 1;
  std::size_t calls = 24;  // of one tool, each with arguments of its own
  int report_fd = -1;
};

// Bounds what this process may use: memory, processor time, file size, descriptors; no core file. Cannot be
// undone.
void limit_this_process();

// Runs one trial and reports it on options.report_fd as JSON lines. The exit code of the process.
int run_trial(const TrialOptions& options);

}  // namespace vmcp::plugin_check
