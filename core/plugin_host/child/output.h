// What a child writes to stdout and stderr. It is read for as long as the child lives, so that a call which
// prints does not stand still; what is too much for a log is thrown away.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/clock.h"

namespace vmcp::plugin_host::child {

// One thread at a time. A flood costs the server a read every few milliseconds, some lines a second and no
// memory.
class Output {
 public:
  using Listener = std::function<void(std::string_view text)>;
  explicit Output(Listener listener) : listener_(std::move(listener)) {}
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Owns `fd`, the reading end of a pipe.
  void open(int fd);
  // For poll(): the descriptor, or -1 while there is nothing to wait for; and for how long at most, -1: for
  // ever.
  int waits_for(SteadyTime now) const { return now < rests_until_ ? -1 : fd_; }
  int wait_ms(SteadyTime now, int otherwise) const;
  // Without waiting.
  void take(SteadyTime now);

 private:
  void tell(std::string_view text);

  const Listener listener_;
  int fd_ = -1;
  SteadyTime second_{}, rests_until_{};
  std::size_t told_in_second_ = 0;
};

}  // namespace vmcp::plugin_host::child
