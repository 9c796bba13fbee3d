// What a transport offers to the call that it carries, whatever the transport is: when the caller went away,
// who answers when the call overruns, and leave to block. Implemented by http/ (and later by stdio).
#pragma once

#include <functional>

#include "base/cancel.h"

namespace vmcp {

class Exchange {
 public:
  virtual ~Exchange() = default;

  // Set when the caller disconnected (the meaning of that is the protocol's: modern MCP cancels, legacy does
  // not).
  virtual CancelFlag disconnected() const = 0;

  // From `deadline` on, the watch thread calls `overrun` once, unless answered before. `overrun` must answer
  // (first answer wins, a late one is dropped) and may not block. The worker that is stuck is replaced,
  // within the transport's bound. Called at most once per exchange, before blocking.
  virtual void answer_by(SteadyTime deadline, std::function<void()> overrun) = 0;

  // A worker that is about to block asks first: at least two others must remain for sockets (a spare is woken
  // or added, bounded). False: none can be had; refuse the call with Code::unavailable. Pairs with
  // leave_blocking().
  virtual bool enter_blocking() = 0;
  virtual void leave_blocking() = 0;
};

}  // namespace vmcp
