#include "throttle/limiter.h"

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "support/rounds.h"
#include "throttle/bucket_table.h"
#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::BucketTable;
using throttle::Limiter;
using throttle::Rate;
using throttle::Settings;

namespace {

int taken(BucketTable& table, const std::string& key, int attempts, double cost = 1) {
  int n = 0;
  for (int i = 0; i < attempts; ++i) n += table.take(key, cost).count() == 0;
  return n;
}

}  // namespace

TEST_CASE("limiter: a burst passes, then the wait is stated in words and in milliseconds") {
  ManualClock clock;
  Settings settings;
  settings.identity = {5, 10};
  Limiter limiter(settings, clock);
  for (int i = 0; i < 10; ++i) REQUIRE(limiter.take("alice", "ops", "list_vms", 1));
  const auto refused = limiter.take("alice", "ops", "list_vms", 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::throttled);
  CHECK(refused.error().text.find("Rate limit exceeded") == 0);
  CHECK(refused.error().text.find("wait 0.2 s (200 ms)") != std::string::npos);
  CHECK(refused.error().retry_after_ms == 200);
  CHECK(refused.error().rule == "identity rate");
  CHECK(limiter.take("bob", "ops", "list_vms", 1));
  clock.advance(199ms);
  CHECK_FALSE(limiter.take("alice", "ops", "list_vms", 1));
  clock.advance(1ms);
  CHECK(limiter.take("alice", "ops", "list_vms", 1));
  CHECK_FALSE(limiter.take("alice", "ops", "list_vms", 1));
}

TEST_CASE("limiter: the stated wait is always enough") {
  ManualClock clock;
  Settings settings;
  settings.identity = {3.7, 2};
  Limiter limiter(settings, clock);
  for (int i = 0; i < 200; ++i) {
    const double cost = 0.3 + (i % 7) * 0.25;
    auto result = limiter.take("a", "", "", cost);
    if (result) continue;
    clock.advance(milliseconds(result.error().retry_after_ms));
    REQUIRE(limiter.take("a", "", "", cost));
  }
}

TEST_CASE("limiter: a cost above the burst, or no number at all, costs the whole burst") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1, 4};
  Limiter limiter(settings, clock);
  CHECK(limiter.take("a", "", "", 1000));
  CHECK_FALSE(limiter.take("a", "", "", 0.5));
  CHECK(limiter.take("b", "", "", std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(limiter.take("b", "", "", 0.5));
  CHECK(limiter.take("c", "", "", -3));
  CHECK_FALSE(limiter.take("c", "", "", 0.5));
  CHECK(limiter.take("d", "", "", std::numeric_limits<double>::infinity()));
}

TEST_CASE("limiter: a refused call takes nothing") {
  ManualClock clock;
  BucketTable table({1, 4}, 100, clock);
  CHECK(taken(table, "a", 1, 3) == 1);
  CHECK(taken(table, "a", 5, 2) == 0);
  CHECK(taken(table, "a", 5, 1) == 1);
}

TEST_CASE("limiter: switched off it lets everything pass") {
  ManualClock clock;
  Settings settings;
  settings.enabled = false;
  settings.identity = {1, 1};
  settings.address = {1, 1};
  Limiter limiter(settings, clock);
  for (int i = 0; i < 100; ++i) {
    CHECK(limiter.take("a", "", "", 1));
    CHECK(limiter.take_address("10.0.0.1"));
  }
}

TEST_CASE("limiter: a rate of zero never refills and still answers") {
  ManualClock clock;
  BucketTable table({0, 2}, 10, clock);
  CHECK(taken(table, "a", 5) == 2);
  clock.advance(1h);
  CHECK(table.take("a", 1).count() > 0);
}

TEST_CASE("limiter: a host cannot multiply itself by its IPv6 addresses or by mapped IPv4") {
  ManualClock clock;
  Settings settings;
  settings.address = {1, 2};
  Limiter limiter(settings, clock);
  CHECK(limiter.take_address("2001:db8:1:2::1"));
  CHECK(limiter.take_address("2001:db8:1:2:ffff::9"));
  const auto refused = limiter.take_address("2001:DB8:1:2:a:b:c:d");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().rule == "address rate");
  CHECK(limiter.take_address("2001:db8:1:3::1"));
  CHECK(limiter.take_address("192.0.2.7"));
  CHECK(limiter.take_address("::ffff:192.0.2.7"));
  CHECK_FALSE(limiter.take_address("192.0.2.7"));
  CHECK(limiter.take_address("fe80::1%eth0"));
  CHECK(limiter.take_address("fe80::2%eth1"));
  CHECK_FALSE(limiter.take_address("fe80::3"));
  CHECK(limiter.take_address(""));
  CHECK(limiter.take_address(std::string(5000, ':')));
}

TEST_CASE("limiter: a million addresses stay within the bound and give nobody a second burst") {
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

TEST_CASE("limiter: a bucket in use outlives idle ones") {
  ManualClock clock;
  BucketTable table({1, 5}, 64, clock);
  for (int i = 0; i < 2000; ++i) {
    table.take("idle-" + std::to_string(i), 1);
    if (i % 20 == 0) clock.advance(1s);
    table.take("busy", 1);
  }
  CHECK(taken(table, "busy", 10) <= 1);
}

TEST_CASE("limiter: threads together get exactly the burst and the refill") {
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

TEST_CASE("limiter: identities do not disturb one another, exactly and over time") {
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

TEST_CASE("limiter: many threads over a table that keeps evicting") {
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
