// Stops asking a vCenter that cannot be reached, so that callers fail at once instead of each waiting for a
// connect timeout. Opens after some connect failures in a row; after a rest, one caller probes.
#pragma once

#include <mutex>
#include <optional>

#include "base/clock.h"

namespace vmcp::vcenter {

// [any thread] `clock` outlives the breaker.
class Breaker {
 public:
  static constexpr int kFailures = 5;
  static constexpr milliseconds kRest{5'000};

  explicit Breaker(const Clock& clock) : clock_(clock) {}
  // Nothing: go ahead. Otherwise: how long to stay away.
  std::optional<milliseconds> resting();
  void reached();  // any answer, also an error
  // True when this failure opened it.
  bool missed();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  int failures_ = 0;         // guarded by mutex_
  SteadyTime open_until_{};  // guarded by mutex_; meaningful while failures_ >= kFailures
};

}  // namespace vmcp::vcenter
