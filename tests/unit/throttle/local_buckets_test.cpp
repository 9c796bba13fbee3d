#include "throttle/local_buckets.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/rounds.h"
#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::Kind;
using throttle::LocalBuckets;
using throttle::MaxKeys;
using throttle::Rate;
using throttle::Take;
using throttle::Verdict;

namespace {

MaxKeys all(std::size_t n) {
  MaxKeys out;
  out.fill(n);
  return out;
}

// Buckets of one kind with one rate.
class BucketTable {
 public:
  BucketTable(Rate rate, std::size_t max_keys, const Clock& clock)
      : rate_(rate), store_(all(max_keys), clock) {}
  milliseconds take(const std::string& key, double cost) {
    const Take one{Kind::identity, key, rate_, cost};
    const Verdict verdict = store_.take({&one, 1});
    return verdict.allowed ? 0ms : verdict.retry_after;
  }
  std::size_t size() const { return store_.size(Kind::identity); }

 private:
  const Rate rate_;
  LocalBuckets store_;
};

int taken(BucketTable& table, const std::string& key, int attempts, double cost = 1) {
  int n = 0;
  for (int i = 0; i < attempts; ++i) n += table.take(key, cost).count() == 0;
  return n;
}

}  // namespace

TEST_CASE("buckets: a refused call takes nothing") {
  ManualClock clock;
  BucketTable table({1, 4}, 100, clock);
  CHECK(taken(table, "a", 1, 3) == 1);
  CHECK(taken(table, "a", 5, 2) == 0);
  CHECK(taken(table, "a", 5, 1) == 1);
}

TEST_CASE("buckets: a rate of zero never refills and still answers") {
  ManualClock clock;
  BucketTable table({0, 2}, 10, clock);
  CHECK(taken(table, "a", 5) == 2);
  clock.advance(1h);
  CHECK(table.take("a", 1).count() > 0);
}

TEST_CASE("buckets: a million addresses stay within the bound and give nobody a second burst") {
  ManualClock clock;
  BucketTable table({1, 3}, 1000, clock);
  CHECK(taken(table, "victim", 10) == 3);
  int passed = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    passed += table.take("flood-" + std::to_string(i), 1).count() == 0;
    if (i % 10'000 == 0) REQUIRE(table.size() <= 1000);
  }
  // The clock stood still: each known bucket gave one token and each shard's shared bucket its burst.
  CHECK(passed <= 1000 + 16 * 3);
  CHECK(taken(table, "victim", 10) == 0);
  // When the flood's buckets are full again, they are forgotten and newcomers get their own.
  clock.advance(10s);
  CHECK(taken(table, "late", 10) == 3);
  CHECK(table.size() <= 1000);
}

TEST_CASE("buckets: a bucket in use outlives idle ones") {
  ManualClock clock;
  BucketTable table({1, 5}, 64, clock);
  for (int i = 0; i < 2000; ++i) {
    table.take("idle-" + std::to_string(i), 1);
    if (i % 20 == 0) clock.advance(1s);
    table.take("busy", 1);
  }
  CHECK(taken(table, "busy", 10) <= 1);
}

TEST_CASE("buckets: threads together get exactly the burst and the refill") {
  ManualClock clock;
  BucketTable table({100, 50}, 1000, clock);
  for (int round = 0; round < vmcp::testing::rounds(20); ++round) {
    std::atomic<int> passed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) passed += table.take("shared", 1).count() == 0;
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(passed == (round == 0 ? 50 : 10));
    clock.advance(100ms);
  }
}

TEST_CASE("buckets: identities do not disturb one another, exactly and over time") {
  ManualClock clock;
  BucketTable table({10, 5}, 1000, clock);
  std::vector<int> passed(20);
  for (int tick = 0; tick < 1000; ++tick) {
    for (int id = 0; id < 20; ++id)
      passed[static_cast<std::size_t>(id)] += taken(table, "id-" + std::to_string(id), id == 0 ? 50 : 2);
    clock.advance(10ms);
  }
  // 10 s at 10 per second and the burst; the greedy one gets what the others get.
  for (const int n : passed) CHECK((n >= 104 && n <= 106));
}

TEST_CASE("buckets: many threads over a table that keeps evicting") {
  ManualClock clock;
  BucketTable table({1000, 2}, 100, clock);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) {
        table.take("k" + std::to_string((i * 7 + t * 131) % 997), 1);
        if (i % 16 == 0) clock.advance(1ms);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(table.size() <= 100);
}

TEST_CASE("buckets: of several that refuse, the answer is that of the longest wait") {
  ManualClock clock;
  LocalBuckets store(all(100), clock);
  const std::array<Take, 3> takes{Take{Kind::identity, "a", {1, 10}, 4}, Take{Kind::role, "a", {2, 4}, 4},
                                  Take{Kind::tool, "a", {0.5, 6}, 4}};
  REQUIRE(store.take(takes).allowed);
  const Verdict verdict = store.take(takes);
  CHECK_FALSE(verdict.allowed);
  CHECK(verdict.refused == 2);  // misses 2 at 0.5 a second; the role misses 4 at 2 a second
  CHECK(verdict.limit == 6);
  CHECK(verdict.remaining == doctest::Approx(2));
  CHECK(verdict.retry_after == 4s);
  CHECK(verdict.reset == 8s);
  clock.advance(verdict.retry_after);
  CHECK(store.take(takes).allowed);
}

TEST_CASE("buckets: a refused call takes nothing, whichever bucket refused") {
  ManualClock clock;
  LocalBuckets store(all(100), clock);
  const auto left = [&](Kind kind, double burst) {
    int n = 0;
    const Take one{kind, "x", {0.001, burst}, 1};
    while (store.take({&one, 1}).allowed) ++n;
    return n;
  };
  const std::array<Kind, 3> kinds{Kind::identity, Kind::role, Kind::tool};
  for (std::size_t poor = 0; poor < kinds.size(); ++poor) {
    clock.advance(24h);
    std::array<Take, 3> takes;
    for (std::size_t i = 0; i < 3; ++i) takes[i] = {kinds[i], "x", {0.001, i == poor ? 2.0 : 7.0}, 1};
    for (int i = 0; i < 2; ++i) REQUIRE(store.take(takes).allowed);
    for (int i = 0; i < 100; ++i) REQUIRE_FALSE(store.take(takes).allowed);
    for (std::size_t i = 0; i < 3; ++i) CHECK(left(kinds[i], 7) == (i == poor ? 0 : 5));
  }
}

TEST_CASE("buckets: more than a call may take from is a bug, not a verdict") {
  ManualClock clock;
  LocalBuckets store(all(100), clock);
  const std::vector<Take> takes(throttle::kMaxTakes + 1, Take{Kind::target, "t", {}, 1});
  CHECK_THROWS_AS(store.take(takes), std::length_error);
}

// Threads take one token each of random sets of buckets while the clock stands still. Whatever was allowed
// has been paid in full and nothing else has: what is left in each bucket is exactly the burst less its
// allowed calls.
TEST_CASE("buckets: under threads the sums are right and a refused call took nothing") {
  constexpr int kThreads = 8, kCalls = 4000;
  constexpr double kBurst = 500;
  ManualClock clock;
  for (int round = 0; round < vmcp::testing::rounds(5); ++round) {
    LocalBuckets store(all(4096), clock);
    constexpr std::size_t kNames = 24;
    std::array<std::atomic<int>, 3 * kNames> paid{};
    std::atomic<int> refused{0};
    const std::array<Kind, 3> kinds{Kind::identity, Kind::tool, Kind::target};
    const auto name = [](std::size_t i) { return "name-" + std::to_string(i); };
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        std::minstd_rand random(static_cast<unsigned>(t * 977 + round));
        for (int call = 0; call < kCalls; ++call) {
          std::array<std::string, 5> keys;
          std::array<Take, 5> takes;
          std::array<std::size_t, 5> at;
          // One of each kind and two further targets, all different, in varying order.
          const std::size_t first = random() % (kNames - 2);
          for (std::size_t i = 0; i < 5; ++i) {
            const std::size_t kind = i < 2 ? i : 2, n = i < 2 ? random() % kNames : first + i - 2;
            keys[i] = name(n);
            takes[i] = {kinds[kind], keys[i], {0, kBurst}, 1};
            at[i] = kind * kNames + n;
          }
          if (call % 2) std::swap(takes[0], takes[4]), std::swap(at[0], at[4]);
          if (!store.take(takes).allowed) {
            ++refused;
            continue;
          }
          for (const std::size_t i : at) ++paid[i];
        }
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(refused > 1000);
    for (std::size_t i = 0; i < paid.size(); ++i) {
      const std::string key = name(i % kNames);
      const Take one{kinds[i / kNames], key, {0, kBurst}, 1};
      int left = 0;
      while (store.take({&one, 1}).allowed) ++left;
      CHECK(left + paid[i] == static_cast<int>(kBurst));
    }
  }
}

TEST_CASE("buckets: a flood of one kind pushes nobody of another kind out") {
  ManualClock clock;
  LocalBuckets store(all(128), clock);
  const Take identity{Kind::identity, "alice", {1, 2}, 1};
  for (int i = 0; i < 2; ++i) REQUIRE(store.take({&identity, 1}).allowed);
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = std::to_string(i);
    const Take address{Kind::address, key, {1, 2}, 1};
    (void)store.take({&address, 1});
  }
  CHECK(store.size(Kind::address) <= 128);
  CHECK(store.size(Kind::identity) == 1);
  CHECK_FALSE(store.take({&identity, 1}).allowed);
}

TEST_CASE("buckets: a bucket follows its rate when the site changes it") {
  ManualClock clock;
  LocalBuckets store(all(16), clock);
  Take take{Kind::tool, "t", {1, 100}, 1};
  REQUIRE(store.take({&take, 1}).allowed);
  take.rate = {10, 5};
  const auto passed = [&] {
    int n = 0;
    while (store.take({&take, 1}).allowed) ++n;
    return n;
  };
  CHECK(passed() == 5);
  clock.advance(300ms);
  CHECK(passed() == 3);
}
