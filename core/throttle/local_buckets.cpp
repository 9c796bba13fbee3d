#include "throttle/local_buckets.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

namespace vmcp::throttle {
namespace {

constexpr std::size_t kMaxKeyBytes = 256;
constexpr double kLongestWaitMs = 24.0 * 3600 * 1000;
// What adding up small numbers loses: whoever waited as long as he was told must not miss by that.
constexpr double kRounding = 1e-9;

double price_of(const Take& take) {
  // Written so that NaN costs a whole burst too.
  return take.cost >= 0 && take.cost < take.rate.burst ? take.cost : take.rate.burst;
}

milliseconds until(double missing, const Rate& rate) {
  if (missing <= 0) return milliseconds{0};
  const double ms = rate.per_second > 0 ? missing / rate.per_second * 1000 : kLongestWaitMs;
  return milliseconds{static_cast<std::int64_t>(std::clamp(std::ceil(ms), 1.0, kLongestWaitMs))};
}

template <std::size_t... I>
std::array<BucketTable, sizeof...(I)> tables_of(const MaxKeys& max_keys, std::index_sequence<I...>) {
  return {BucketTable(max_keys[I])...};
}

}  // namespace

// The shards of a call, held. By kind, then by number: the one order.
class LocalBuckets::Locked {
 public:
  Locked(LocalBuckets& owner, std::span<const Take> takes, std::span<const Name> names) : owner_(owner) {
    for (std::size_t i = 0; i < takes.size(); ++i) {
      const auto kind = static_cast<std::size_t>(takes[i].kind);
      masks_[kind] |= 1u << owner_.tables_[kind].shard_of(names[i]);
    }
    each([](std::mutex& mutex) { mutex.lock(); });
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() {
    each([](std::mutex& mutex) { mutex.unlock(); });
  }

 private:
  template <class Do>
  void each(Do action) {
    static_assert(BucketTable::kMaxShards <= 32);
    for (std::size_t kind = 0; kind < kKinds; ++kind)
      for (std::uint32_t rest = masks_[kind]; rest != 0; rest &= rest - 1)
        action(owner_.tables_[kind].mutex(static_cast<std::size_t>(std::countr_zero(rest))));
  }

  LocalBuckets& owner_;
  std::array<std::uint32_t, kKinds> masks_{};
};

LocalBuckets::LocalBuckets(const MaxKeys& max_keys, const Clock& clock)
    : clock_(clock), tables_(tables_of(max_keys, std::make_index_sequence<kKinds>{})) {}

Verdict LocalBuckets::take(std::span<const Take> takes) {
  if (takes.size() == 1) {  // the ordinary call
    const Name name(takes[0].key.substr(0, kMaxKeyBytes));
    BucketTable& own = table(takes[0].kind);
    const std::scoped_lock lock(own.mutex(own.shard_of(name)));
    return take_locked(takes, {&name, 1});
  }
  if (takes.size() > kMaxTakes) throw std::length_error("a call takes from too many buckets");
  std::array<Name, 4> few;  // enough for all but calls with targets
  std::vector<Name> many(takes.size() > few.size() ? takes.size() : 0);
  const std::span<Name> names(many.empty() ? few.data() : many.data(), takes.size());
  for (std::size_t i = 0; i < takes.size(); ++i) names[i] = Name(takes[i].key.substr(0, kMaxKeyBytes));
  const Locked locked(*this, takes, names);
  return take_locked(takes, names);
}

// With the shards of all names locked.
Verdict LocalBuckets::take_locked(std::span<const Take> takes, std::span<const Name> names) {
  const SteadyTime now = clock_.now();
  Verdict verdict;
  std::size_t taken = takes.size();  // how many have given; after a refusal the others are only looked at
  for (std::size_t i = 0; i < takes.size(); ++i) {
    const Take& take = takes[i];
    const double price = price_of(take);
    if (price == 0) continue;
    Bucket& bucket = table(take.kind).bucket(names[i], take.rate, now);
    if (bucket.tokens + kRounding >= price) {
      if (verdict.allowed) bucket.tokens -= price;
      continue;
    }
    const milliseconds wait = until(price - bucket.tokens, bucket.rate);
    if (verdict.allowed) taken = i;
    if (verdict.allowed || wait > verdict.retry_after)
      verdict = {
          false, i, bucket.rate.burst, bucket.tokens, until(bucket.rate.burst - bucket.tokens, bucket.rate),
          wait};
  }
  if (verdict.allowed) return verdict;
  for (std::size_t i = 0; i < taken; ++i)
    if (const double price = price_of(takes[i]); price > 0) table(takes[i].kind).give_back(names[i], price);
  return verdict;
}

}  // namespace vmcp::throttle
