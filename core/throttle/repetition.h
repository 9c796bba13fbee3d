// Finds callers that make one and the same call again and again: an agent in a loop. They are slowed, not
// shut out: a tool that is polled patiently passes.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace vmcp::throttle {

// The first `calls` within `window` of the first one pass. Further ones pass too, but each only when the wait
// since the last is over, which begins at 1 s and doubles each time, to 60 s at most; one that comes earlier
// is refused and counts for nothing. After a window without the call beyond its wait everything is forgotten.
//
// The memory is fixed: 8192 calls, by a digest of who calls what with which arguments; who has been quiet the
// longest is forgotten first. [any thread] `clock` outlives it.
class Repetition {
 public:
  Repetition(std::uint32_t calls, milliseconds window, const Clock& clock);

  struct Seen {
    milliseconds wait{0};       // 0: it passes
    std::uint32_t times = 0;    // how often it passed since it began, this one included
    milliseconds forgotten{0};  // until it would start anew, if it is not made any more
  };
  Seen look(std::string_view identity, std::string_view tool, std::string_view arguments);

  static constexpr std::size_t kWays = 4, kSets = 2048;

 private:
  using Key = std::array<unsigned char, 16>;
  struct Entry {
    Key key{};
    SteadyTime first{}, last{};  // last == 0: empty
    SteadyTime not_before{};
    std::uint32_t times = 0;
    std::uint32_t waits = 0;  // how often it has been made to wait
  };
  Entry& entry(std::size_t set, const Key& key, SteadyTime now);

  const std::uint32_t calls_;
  const milliseconds window_;
  const Clock& clock_;
  std::array<std::mutex, 16> mutexes_;  // of the sets, by number modulo 16
  std::vector<Entry> entries_;          // kWays to a set
};

}  // namespace vmcp::throttle
