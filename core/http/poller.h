// The one epoll that all workers wait on. One-shot: a descriptor that fired belongs to the worker that got it
// until it is armed again, so no queue and no second hand-over is needed.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace vmcp::http {

class Poller {
 public:
  struct Event {
    std::uint64_t token = 0;
    std::uint32_t events = 0;
  };
  static constexpr std::uint64_t kWakeToken = ~std::uint64_t{0};

  Poller() = default;
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  Result<void> open();
  bool add(int descriptor, std::uint64_t token, std::uint32_t events);  // [any thread]
  bool arm(int descriptor, std::uint64_t token, std::uint32_t events);  // [any thread]
  // One event at a time: a worker that then blocks in a handler takes no other connection's event with it.
  // False: interrupted, or woken by wake_all().
  bool wait(Event& event);
  void wake_all();  // every wait() returns from now on   [any thread]

 private:
  int epoll_ = -1;
  int wake_ = -1;
};

}  // namespace vmcp::http
