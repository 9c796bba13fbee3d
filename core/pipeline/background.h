// Calls that no connection waits for: later rounds of a handshake client's call, tasks. A few threads of
// their own, so that they may block; each call has an exchange without a client behind it.
#pragma once

#include <functional>
#include <memory>

#include "base/exchange.h"
#include "base/log.h"

namespace vmcp::pipeline {

class Background {
 public:
  // Threads start when they are needed. `log` outlives this.
  Background(std::size_t threads, std::size_t queue, Log& log);
  ~Background();  // stop(0)
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  using Work = std::function<void(const std::shared_ptr<Exchange>&)>;
  // False: the queue is full or this is stopping. `work` throws nothing.
  bool run(Work work);
  // Takes no more, drops what waits, tells what runs that its caller is gone and waits for it. False:
  // something still runs after `grace`; its thread is let go, and what it uses must live as long as the
  // process.
  bool stop(milliseconds grace);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vmcp::pipeline
