// A clock that stands still until the test pushes it, and counts who looks at it. [any thread]
#pragma once

#include <atomic>

#include "base/clock.h"

namespace vmcp::inventory {

class TestClock final : public Clock {
 public:
  SteadyTime now() const override {
    ++asked_;
    return SteadyTime{} + milliseconds{ms_.load()};
  }
  WallTime wall() const override { return WallTime{}; }
  void advance(int ms) { ms_ += ms; }
  int asked() const { return asked_; }

 private:
  std::atomic<int> ms_{1'000'000};
  mutable std::atomic<int> asked_{0};
};

}  // namespace vmcp::inventory
