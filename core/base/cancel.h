// Deadline, cancellation and trace of one call: they travel the whole walk, down to the requests to vCenter.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"

namespace vmcp {

// Shared by everyone who works for a call; set once, never cleared.
class CancelFlag {
 public:
  CancelFlag() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  // One that lies elsewhere, for instance in memory that another process shares.
  explicit CancelFlag(std::shared_ptr<std::atomic<bool>> flag) : flag_(std::move(flag)) {}
  void cancel() const { flag_->store(true, std::memory_order_relaxed); }
  bool cancelled() const { return flag_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
};

struct CallLimits {
  SteadyTime deadline;
  CancelFlag cancel;
  std::string traceparent = {};  // W3C trace context of the caller, handed on as it came; may be empty
};

}  // namespace vmcp
