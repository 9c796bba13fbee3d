// Writes each exchange as one JSON line, for the check against the official documents. Never a credential: no
// Authorization, no login parameter, no session id.
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "simulator/message.h"

namespace vmcp::simulator {

class Recorder {
 public:
  // Appends to `path`; empty = records nothing.
  Result<void> open(const std::string& path);
  // [any thread]; a whole line, flushed.
  void write(const Request& request, const Reply& reply);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::mutex mutex_;
  std::unique_ptr<std::FILE, Close> file_;
};

// The line itself, without the newline.
std::string recorded_line(const Request& request, const Reply& reply);

}  // namespace vmcp::simulator
