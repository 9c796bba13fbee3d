// Another program that this one starts: the author's build, the server that is being worked on.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vmcp::app {

// Owns the process: it ends with this object, and with the thread that started it, whatever ends that.
class ChildProcess {
 public:
  // `arguments[0]` is looked for in PATH. Standard streams and environment are this program's.
  static Result<ChildProcess> start(const std::vector<std::string>& arguments);

  ChildProcess(ChildProcess&& from) noexcept : pid_(from.pid_) { from.pid_ = -1; }
  ChildProcess& operator=(ChildProcess&& from) noexcept;
  ~ChildProcess() { stop(milliseconds(0)); }

  bool runs();  // also takes note of an end
  // Waits for its end; the exit code, or 128 + the signal.
  int wait();
  // SIGTERM, and SIGKILL when it has not ended `grace` later.
  void stop(milliseconds grace);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;  // -1: has ended and is reaped
  int status_ = 0;
};

}  // namespace vmcp::app
