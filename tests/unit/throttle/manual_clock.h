// A clock that stands still until the test moves it. [any thread]
#pragma once

#include <atomic>

#include "base/clock.h"

namespace vmcp::test {

class ManualClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime(std::chrono::nanoseconds(ns_.load())); }
  WallTime wall() const override {
    return WallTime(std::chrono::microseconds(1'769'000'000'000'000 + ns_.load() / 1000));
  }
  void advance(std::chrono::nanoseconds d) { ns_ += d.count(); }

 private:
  std::atomic<std::int64_t> ns_{1'000'000'000'000};
};

}  // namespace vmcp::test
