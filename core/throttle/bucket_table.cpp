#include "throttle/bucket_table.h"

#include <algorithm>

namespace vmcp::throttle {
namespace {

constexpr int kEvictionLooks = 4;

}  // namespace

void Bucket::refill(const Rate& next, SteadyTime now) {
  const double seconds = std::chrono::duration<double>(now - filled_at).count();
  if (seconds > 0) {  // two threads may read the clock in one order and get here in the other
    tokens += seconds * rate.per_second;
    filled_at = now;
  }
  tokens = std::min(tokens, next.burst);
  rate = next;
}

BucketTable::BucketTable(std::size_t max_keys) {
  const std::size_t shards = std::clamp<std::size_t>(max_keys / 64, 1, kMaxShards);
  max_keys_per_shard_ = std::max<std::size_t>(1, max_keys / shards);
  for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>());
}

// The least recently used are the likeliest to be full again, so a few looks from the end suffice.
bool BucketTable::forget_a_full_one(Shard& shard, SteadyTime now) {
  auto it = shard.by_age.end();
  for (int looks = 0; looks < kEvictionLooks && it != shard.by_age.begin(); ++looks) {
    --it;
    it->refill(it->rate, now);
    if (!it->full()) continue;
    shard.by_key.erase(Name(it->key));
    shard.by_age.erase(it);
    return true;
  }
  return false;
}

Bucket& BucketTable::bucket(const Name& name, const Rate& rate, SteadyTime now) {
  Shard& shard = *shards_[shard_of(name)];
  if (const auto it = shard.by_key.find(name); it != shard.by_key.end()) {
    shard.by_age.splice(shard.by_age.begin(), shard.by_age, it->second);
    it->second->refill(rate, now);
    return *it->second;
  }
  if (shard.by_key.size() >= max_keys_per_shard_ && !forget_a_full_one(shard, now)) {
    if (shard.overflow.filled_at == SteadyTime()) shard.overflow = {{}, rate, rate.burst, now};
    shard.overflow.refill(rate, now);
    return shard.overflow;
  }
  shard.by_age.push_front({std::string(name.text), rate, rate.burst, now});
  shard.by_key.emplace(Name(shard.by_age.front().key), shard.by_age.begin());
  return shard.by_age.front();
}

void BucketTable::give_back(const Name& name, double tokens) {
  Shard& shard = *shards_[shard_of(name)];
  const auto it = shard.by_key.find(name);
  Bucket& bucket = it == shard.by_key.end() ? shard.overflow : *it->second;
  bucket.tokens = std::min(bucket.rate.burst, bucket.tokens + tokens);
}

std::size_t BucketTable::size() const {
  std::size_t sum = 0;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock(shard->mutex);
    sum += shard->by_key.size();
  }
  return sum;
}

}  // namespace vmcp::throttle
