// Token buckets by key, in a table that cannot grow beyond its bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "throttle/limiter.h"

namespace vmcp::throttle {

// How long until the tokens are there; 0 = they were taken.
using Wait = milliseconds;

// Buckets are refilled when they are looked at; nothing runs in the background. A bucket that is full again
// says nothing and may be forgotten. When the table is full of buckets that still say something, newcomers of
// a shard share one bucket until places are free: forgetting a live bucket would give its owner a new burst,
// and refusing all newcomers would let one flood lock everybody out. [any thread]
class BucketTable {
 public:
  BucketTable(Rate rate, std::size_t max_keys, const Clock& clock);

  // `cost` above the burst counts as the burst: otherwise such a call could never be made.
  Wait take(std::string_view key, double cost);
  std::size_t size() const;

 private:
  struct Bucket {
    std::string key;
    double tokens;
    SteadyTime filled_at;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Bucket> by_age;  // most recently used first; a Bucket never moves in memory
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key;  // views into Bucket::key
    Bucket overflow;
  };

  Bucket& find_or_make(Shard& shard, std::string_view key, SteadyTime now);
  bool forget_a_full_one(Shard& shard, SteadyTime now);
  void refill(Bucket& bucket, SteadyTime now) const;

  const Rate rate_;
  const Clock& clock_;
  std::size_t max_keys_per_shard_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace vmcp::throttle
