// Where token buckets are kept: in this process (local_buckets.h), or one day in a store that several
// replicas share. The one operation is whole: every bucket of a call gives, or none does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"

namespace vmcp::throttle {

// A bucket holds at most `burst` tokens and gains `per_second`. Where a site may leave a limit out,
// per_second 0 means that there is none.
struct Rate {
  double per_second = 5;
  double burst = 10;
};

// What a bucket belongs to. The same key under two kinds is two buckets; each kind has a bound of its own, so
// that a flood of one (addresses) cannot push out another (identities).
enum class Kind : std::uint8_t { address, identity, role, tool, target, vcenter };
inline constexpr std::size_t kKinds = 6;

// Borrowed for the call.
struct Take {
  Kind kind;
  std::string_view key;  // the first 256 bytes count
  Rate rate;             // of this key, now: a bucket follows it from here on
  double cost = 1;       // 0: nothing is taken. Above the burst, below 0 or no number: the burst, because a
                         // call that costs more could never be made
};

struct Verdict {
  bool allowed = true;
  // Of a refusal: which take's bucket refused; if several did, the one with the longest wait, so that the
  // wait is enough for all.
  std::size_t refused = 0;
  double limit = 0;             // tokens that it holds when full
  double remaining = 0;         // tokens that it holds now
  milliseconds reset{0};        // until it is full
  milliseconds retry_after{0};  // until it can pay this call; at least 1
};

inline constexpr std::size_t kMaxTakes = 256;

// [any thread]
class BucketStore {
 public:
  virtual ~BucketStore() = default;
  // From all of these buckets or from none. At most kMaxTakes (more is a bug: std::length_error), each bucket
  // at most once. A store elsewhere that cannot be reached answers from a conservative share of its own; it
  // does not fail.
  virtual Verdict take(std::span<const Take> takes) = 0;
};

}  // namespace vmcp::throttle
