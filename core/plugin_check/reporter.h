// How a trial tells the checker what it does and finds: one JSON object a line, so that after a crash the
// last line says where it was.
#pragma once

#include <string>

#include "plugin_check/finding.h"

namespace vmcp::plugin_check {

class Reporter {
 public:
  // `fd` is open for writing and stays the caller's. A write that fails ends the trial's process: nobody
  // reads.
  explicit Reporter(int fd) : fd_(fd) {}

  // What comes next, and the arguments it comes with.
  void at(const std::string& where, const std::string& arguments = {});
  // With the place and the arguments of the last at().
  void found(const std::string& name, const std::string& saw);
  void found_at(const std::string& where, const std::string& name, const std::string& saw);
  void note(const std::string& text);
  // `asked`: a tool asked something of a vCenter.
  void done(bool usable, std::size_t calls, bool asked);

 private:
  void write(const Json& line);

  const int fd_;
  std::string where_, arguments_;
};

}  // namespace vmcp::plugin_check
