// What the child process of a check does with a plugin. Everything that runs foreign code is here and in
// subject.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "plugin_check/answering_vcenter.h"
#include "plugin_check/subject.h"

namespace vmcp::plugin_check {

// What a trial gets on its standard input and not on its command line, which everybody on the machine can
// read.
struct TrialInput {
  Configuration config;
  std::optional<VcenterAddress> vcenter;
  std::string runner;                      // path; empty: nothing is compared with a process of its own
  std::vector<std::string> compared = {};  // names of the tools that are
  std::vector<std::string> asking = {};    // of them: those that asked a vCenter before
};
std::string to_text(const TrialInput& input);
TrialInput read_trial_input(int fd);  // what cannot be read is as if it had not been given

struct TrialOptions {
  std::string file;
  std::string tool;   // the calls of this tool
  bool rest = false;  // resources, prompts, completion; and the same calls in a process of its own
  // Neither: declarations and life cycle.
  std::uint64_t seed = 1;
  std::size_t calls = 24;  // of one tool, each with arguments of its own
  int report_fd = -1;
  TrialInput input = {};
};

// Bounds what this process may use (memory, processor time, file size, descriptors; no core file), for good.
// Then runs one trial and reports it on options.report_fd as JSON lines. The exit code of the process.
int run_trial(const TrialOptions& options);

}  // namespace vmcp::plugin_check
