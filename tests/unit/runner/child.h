// The program `sandboxed` with a plugin in it, and the arena for plugins that want out.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vmcp::runner::test {

// /tmp/vmcp-escapes-PID, as the fixture `escapes` looks for it; gone with this object.
class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Nothing in it was changed.
  bool untouched() const;

 private:
  std::string path_;
  int listeners_[2] = {-1, -1};
};

struct Ended {
  int signal = 0;  // 0: by itself, with `code`
  int code = 0;
};

class Child {
 public:
  // The process inherits a descriptor above 64 and a variable that it must not keep. Its standard error is
  // this process's.
  Child(const std::string& fixture, const std::vector<std::string>& options = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // What it said first: "ready" and the report, or "failed: …".
  const std::string& greeting() const { return greeting_; }
  // The line of the report about this part; empty when there is none.
  std::string part(const std::string& name) const;
  // "active", "replaced", "waived" or "MISSING".
  std::string state(const std::string& name) const;

  // What the kernel says about it, by the names of /proc/PID/status.
  std::string status(const std::string& name) const;
  // Whose /proc/PID/environ is: this user's, or root's when nobody may look into the process.
  uid_t owner_of_environment() const;

  // The answer; "it ended" when the process did.
  std::string ask(const std::string& words);
  Ended wait();

 private:
  std::string hear();

  pid_t pid_ = -1;
  int channel_ = -1;
  std::string greeting_;
};

}  // namespace vmcp::runner::test
