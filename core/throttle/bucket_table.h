// The token buckets of one kind in a table that cannot grow beyond its bound: the part of local_buckets.h
// that knows nothing of other kinds.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "throttle/bucket_store.h"

namespace vmcp::throttle {

struct Bucket {
  std::string key;
  Rate rate;
  double tokens;
  SteadyTime filled_at;

  // What has been earned since the last look, at the rate of then; from now on `next` holds.
  void refill(const Rate& next, SteadyTime now);
  bool full() const { return tokens >= rate.burst; }
};

// A key with its hash, which is needed twice: for the shard and in it.
struct Name {
  Name() = default;
  explicit Name(std::string_view key) : text(key), hash(std::hash<std::string_view>{}(key)) {}
  bool operator==(const Name& other) const { return hash == other.hash && text == other.text; }

  std::string_view text;
  std::size_t hash = 0;
};

// Buckets are refilled when they are looked at; nothing runs in the background. A bucket that is full again
// says nothing and may be forgotten. When the table is full of buckets that still say something, newcomers of
// a shard share one bucket until places are free: forgetting a live bucket would give its owner a new burst,
// and refusing all newcomers would let one flood lock everybody out.
class BucketTable {
 public:
  static constexpr std::size_t kMaxShards = 16;

  explicit BucketTable(std::size_t max_keys);

  std::size_t shard_of(const Name& name) const { return name.hash % shards_.size(); }
  std::mutex& mutex(std::size_t shard) { return shards_[shard]->mutex; }

  // With the name's shard locked. The bucket is refilled; valid until the next call for this shard.
  Bucket& bucket(const Name& name, const Rate& rate, SteadyTime now);
  // With the name's shard locked: where `tokens` that bucket() gave go back to.
  void give_back(const Name& name, double tokens);

  std::size_t size() const;  // [any thread]

 private:
  struct HashOf {
    std::size_t operator()(const Name& name) const { return name.hash; }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Bucket> by_age;  // most recently used first; a Bucket never moves in memory
    std::unordered_map<Name, std::list<Bucket>::iterator, HashOf> by_key;  // views into Bucket::key
    Bucket overflow;
  };

  static bool forget_a_full_one(Shard& shard, SteadyTime now);

  std::size_t max_keys_per_shard_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace vmcp::throttle
