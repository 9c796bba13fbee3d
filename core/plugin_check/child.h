// The checker's own program as a child process that may crash, hang or talk nonsense.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vmcp::plugin_check {

struct ChildOutcome {
  std::vector<std::string> lines;  // of the report, whole ones
  std::string out_begin;           // of standard output, at most 200 bytes
  std::string error_end;           // of standard error, at most 2,000 bytes
  bool stalled = false;            // said nothing for too long, and was killed
  int signal = 0;                  // that ended it; 0 when it exited
  int exit_code = 0;
};

// Runs `program` with `arguments`, to which " --report-fd N" is added, with `input` as its standard input, in
// a process group of its own and with an environment that holds nothing of ours, and ends the group when it
// is over. `stall` bounds the time between two lines. An error only when the program cannot be started.
Result<ChildOutcome> run_child(const std::string& program, std::vector<std::string> arguments,
                               const std::string& input, milliseconds stall);

}  // namespace vmcp::plugin_check
