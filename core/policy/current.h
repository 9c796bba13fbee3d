// The policy of this moment, and the place where the next one is put. A call takes it once and keeps it: its
// decisions are all of one policy, whatever is loaded meanwhile.
#pragma once

#include <mutex>
#include <utility>

#include "policy/policy.h"

namespace vmcp::policy {

// [any thread]
class CurrentPolicy {
 public:
  explicit CurrentPolicy(PolicyPtr first) : current_(std::move(first)) {}
  PolicyPtr now() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  void publish(PolicyPtr next) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  PolicyPtr current_;
};

}  // namespace vmcp::policy
