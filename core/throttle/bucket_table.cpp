#include "throttle/bucket_table.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace vmcp::throttle {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kMaxKeyBytes = 256;
constexpr int kEvictionLooks = 4;
constexpr double kLongestWaitMs = 24.0 * 3600 * 1000;

}  // namespace

BucketTable::BucketTable(Rate rate, std::size_t max_keys, const Clock& clock) : rate_(rate), clock_(clock) {
  const std::size_t shards = std::clamp<std::size_t>(max_keys / 64, 1, kShards);
  max_keys_per_shard_ = std::max<std::size_t>(1, max_keys / shards);
  for (std::size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->overflow = {{}, rate_.burst, clock_.now()};
  }
}

void BucketTable::refill(Bucket& bucket, SteadyTime now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
  if (seconds <= 0) return;  // two threads may read the clock in one order and get here in the other
  bucket.tokens = std::min(rate_.burst, bucket.tokens + seconds * rate_.per_second);
  bucket.filled_at = now;
}

// The least recently used are the likeliest to be full again, so a few looks from the end suffice.
bool BucketTable::forget_a_full_one(Shard& shard, SteadyTime now) {
  auto it = shard.by_age.end();
  for (int looks = 0; looks < kEvictionLooks && it != shard.by_age.begin(); ++looks) {
    --it;
    refill(*it, now);
    if (it->tokens < rate_.burst) continue;
    shard.by_key.erase(it->key);
    shard.by_age.erase(it);
    return true;
  }
  return false;
}

BucketTable::Bucket& BucketTable::find_or_make(Shard& shard, std::string_view key, SteadyTime now) {
  if (const auto it = shard.by_key.find(key); it != shard.by_key.end()) {
    shard.by_age.splice(shard.by_age.begin(), shard.by_age, it->second);
    return *it->second;
  }
  if (shard.by_key.size() >= max_keys_per_shard_ && !forget_a_full_one(shard, now)) return shard.overflow;
  shard.by_age.push_front({std::string(key), rate_.burst, now});
  shard.by_key.emplace(shard.by_age.front().key, shard.by_age.begin());
  return shard.by_age.front();
}

Wait BucketTable::take(std::string_view key, double cost) {
  key = key.substr(0, kMaxKeyBytes);
  // Written so that NaN costs a whole burst too.
  const double price = cost >= 0 && cost < rate_.burst ? cost : rate_.burst;
  Shard& shard = *shards_[std::hash<std::string_view>{}(key) % shards_.size()];
  const std::scoped_lock lock(shard.mutex);
  const SteadyTime now = clock_.now();
  Bucket& bucket = find_or_make(shard, key, now);
  refill(bucket, now);
  if (bucket.tokens >= price) {
    bucket.tokens -= price;
    return Wait{0};
  }
  const double ms = rate_.per_second > 0 ? (price - bucket.tokens) / rate_.per_second * 1000 : kLongestWaitMs;
  return Wait{static_cast<std::int64_t>(std::clamp(std::ceil(ms), 1.0, kLongestWaitMs))};
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
