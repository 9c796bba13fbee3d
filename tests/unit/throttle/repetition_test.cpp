#include "throttle/repetition.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "throttle/limiter.h"
#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::Limiter;
using throttle::Repetition;
using throttle::Settings;

namespace {

milliseconds wait_of(Repetition& repetition, const char* arguments = R"({"vm_id":"vm-1"})") {
  return repetition.look("alice", "get_vm", arguments).wait;
}

}  // namespace

TEST_CASE("repetition: so many calls pass, the next one waits, and the wait doubles up to a minute") {
  ManualClock clock;
  Repetition repetition(3, 60s, clock);
  for (int i = 0; i < 3; ++i) CHECK(wait_of(repetition) == 0ms);
  CHECK(wait_of(repetition) == 1s);
  clock.advance(400ms);
  CHECK(wait_of(repetition) == 600ms);  // who does not wait does not make it longer, nor gets through
  clock.advance(600ms);
  for (const int seconds : {2, 4, 8, 16, 32, 60, 60, 60}) {
    CHECK(wait_of(repetition) == 0ms);
    CHECK(wait_of(repetition) == std::chrono::seconds(seconds));
    clock.advance(std::chrono::seconds(seconds) - 1ms);
    CHECK(wait_of(repetition) == 1ms);
    clock.advance(1ms);
  }
}

TEST_CASE("repetition: another caller, tool or argument is another call") {
  ManualClock clock;
  Repetition repetition(1, 60s, clock);
  CHECK(repetition.look("alice", "get_vm", "{}").wait == 0ms);
  CHECK(repetition.look("alice", "get_vm", "{}").wait == 1s);
  CHECK(repetition.look("bob", "get_vm", "{}").wait == 0ms);
  CHECK(repetition.look("alice", "get_host", "{}").wait == 0ms);
  CHECK(repetition.look("alice", "get_vm", "{\"a\":1}").wait == 0ms);
  // Parts that only together read the same.
  CHECK(repetition.look("ab", "cd", "").wait == 0ms);
  CHECK(repetition.look("abc", "d", "").wait == 0ms);
  CHECK(repetition.look("ab", "c", "d").wait == 0ms);
}

TEST_CASE("repetition: whoever polls patiently is never slowed, and pauses are forgiven") {
  ManualClock clock;
  Repetition repetition(20, 60s, clock);
  for (int i = 0; i < 1000; ++i, clock.advance(3001ms)) REQUIRE(wait_of(repetition) == 0ms);
  clock.advance(60s);
  for (int i = 0; i < 20; ++i) REQUIRE(wait_of(repetition) == 0ms);
  CHECK(wait_of(repetition) == 1s);
  clock.advance(61s - 1ms);
  CHECK(wait_of(repetition) == 0ms);  // the wait is over, but nothing is forgotten yet
  CHECK(wait_of(repetition) == 2s);
  clock.advance(62s);
  for (int i = 0; i < 20; ++i) REQUIRE(wait_of(repetition) == 0ms);
  CHECK(wait_of(repetition) == 1s);
}

TEST_CASE("repetition: threads together get exactly so many") {
  ManualClock clock;
  Repetition repetition(100, 60s, clock);
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) passed += wait_of(repetition) == 0ms;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(passed == 100);
}

TEST_CASE("repetition: many different calls do not push out one that is made all the time") {
  ManualClock clock;
  Repetition repetition(50, 600s, clock);
  int refused = 0;
  for (int i = 0; i < 50'000; ++i) {
    clock.advance(1ms);
    (void)repetition.look("alice", "get_vm", std::to_string(i));
    if (i % 100 == 0) refused += wait_of(repetition) != 0ms;
  }
  CHECK(refused > 400);
}

TEST_CASE("repetition: the model is told what it does and what to do instead") {
  ManualClock clock;
  Settings settings;
  settings.identical_calls = 2;
  Limiter limiter(settings, clock);
  for (int i = 0; i < 2; ++i) REQUIRE(limiter.take_identical("alice", "get_vm", "{}"));
  const auto refused = limiter.take_identical("alice", "get_vm", "{}");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::throttled);
  CHECK(refused.error().rule == "limit identical calls");
  CHECK(refused.error().retry_after_ms == 1000);
  CHECK(refused.error().quota.limit == 2);
  CHECK(refused.error().quota.remaining == 0);
  CHECK(refused.error().quota.reset_ms == 61'000);
  CHECK(refused.error().text.find(
            "You repeat yourself: 'get_vm' was called with these same arguments 2 times") == 0);
  CHECK(refused.error().text.find("change the arguments") != std::string::npos);
  CHECK(refused.error().text.find("1.0 s (1000 ms)") != std::string::npos);
  CHECK(limiter.refusals()[throttle::kIdentical] == 1);
  settings.enabled = false;
  Limiter off(settings, clock);
  for (int i = 0; i < 50; ++i) CHECK(off.take_identical("alice", "get_vm", "{}"));
}
