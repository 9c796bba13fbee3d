// The simulated vCenter's time: the base clock's wall time plus an offset that the admin path can push
// forward. It never runs backwards, so tasks and statistics can rely on it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace vmcp::simulator {

using Millis = std::int64_t;  // milliseconds since 1970, virtual

class VirtualClock {
 public:
  explicit VirtualClock(const Clock& base) : base_(base) {}

  // [any thread]
  Millis now() const {
    const auto wall = base_.wall().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(wall).count() + offset_.load();
  }
  void advance(milliseconds by) { offset_ += by.count() < 0 ? 0 : by.count(); }

 private:
  const Clock& base_;
  std::atomic<Millis> offset_{0};
};

inline std::string iso_time(Millis t) {
  return iso8601(WallTime(std::chrono::duration_cast<WallTime::duration>(milliseconds(t))));
}

}  // namespace vmcp::simulator
