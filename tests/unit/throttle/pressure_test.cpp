// How many places a vCenter keeps while it says that it has too much to do.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "throttle/limiter.h"
#include "throttle/pressure.h"
#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::Settings;
using throttle::Slots;

namespace {

Settings sixteen() {
  Settings settings;
  settings.vcenter_parallel = 16;
  settings.tool_parallel = 100;
  return settings;
}

std::size_t can_run(Slots& slots, const char* vcenter = "vc") {
  std::vector<Slots::Permit> held;
  while (true) {
    auto permit = slots.try_acquire("t", 0, vcenter);
    if (!permit) return held.size();
    held.push_back(std::move(*permit));
  }
}

}  // namespace

TEST_CASE(
    "pressure: a refusal takes half of the places, ten answers give one back, up to what is configured") {
  ManualClock clock;
  Slots slots(sixteen(), &clock);
  REQUIRE(can_run(slots) == 16);
  CHECK(slots.overloaded("vc", 0ms) == 8);
  CHECK(can_run(slots) == 8);
  CHECK(can_run(slots, "another") == 16);
  for (int i = 0; i < 9; ++i) slots.answered("vc");
  CHECK(slots.allowed("vc") == 8);
  slots.answered("vc");
  CHECK(slots.allowed("vc") == 9);
  for (int i = 0; i < 1000; ++i) slots.answered("vc");
  CHECK(slots.allowed("vc") == 16);
  CHECK(can_run(slots) == 16);
}

TEST_CASE("pressure: refusals that come together are one, later ones halve again, and one place stays") {
  ManualClock clock;
  Slots slots(sixteen(), &clock);
  CHECK(slots.overloaded("vc", 0ms) == 8);
  for (int i = 0; i < 20; ++i) CHECK(slots.overloaded("vc", 0ms) == 0);
  for (const std::size_t left : {4u, 2u, 1u, 1u, 1u}) {
    clock.advance(throttle::kBetweenCuts);
    slots.overloaded("vc", 0ms);
    CHECK(slots.allowed("vc") == left);
  }
  CHECK(can_run(slots) == 1);
}

TEST_CASE("pressure: a refusal in between starts the count of good answers anew") {
  ManualClock clock;
  Slots slots(sixteen(), &clock);
  slots.overloaded("vc", 0ms);
  for (int i = 0; i < 9; ++i) slots.answered("vc");
  slots.overloaded("vc", 0ms);
  for (int i = 0; i < 9; ++i) slots.answered("vc");
  CHECK(slots.allowed("vc") == 8);
}

TEST_CASE("pressure: nobody new begins while the vCenter wants to be left alone") {
  ManualClock clock;
  Slots slots(sixteen(), &clock);
  slots.overloaded("vc", 5s);
  const auto refused = slots.try_acquire("t", 0, "vc");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::throttled);
  CHECK(refused.error().rule == "vcenter overload");
  CHECK(refused.error().retry_after_ms == 5000);
  CHECK(refused.error().text.find("vCenter 'vc' has too much to do and asked to be left alone; wait 5 s") !=
        std::string::npos);
  CHECK(slots.try_acquire("t", 0, "another"));
  CHECK(slots.try_acquire("t", 0, ""));
  // Who could not outlast it is told at once.
  const CallLimits limits{std::chrono::steady_clock::now() + 2s, CancelFlag()};
  const auto at_once = slots.acquire("alice", "t", 0, "vc", limits);
  REQUIRE_FALSE(at_once);
  CHECK(at_once.error().rule == "vcenter overload");
  CHECK(std::chrono::steady_clock::now() < limits.deadline);
  // What was under way is refused, too, and asks for a little more: one rest, told once.
  clock.advance(500ms);
  CHECK(slots.overloaded("vc", 5s) == 0);
  clock.advance(4600ms);
  CHECK(slots.try_acquire("t", 0, "vc").error().rule == "vcenter overload");
  clock.advance(400ms);
  CHECK(can_run(slots) == 8);
}

TEST_CASE("pressure: one answer does not close a vCenter for longer than a minute") {
  ManualClock clock;
  Slots slots(sixteen(), &clock);
  slots.overloaded("vc", 1h);
  clock.advance(throttle::kLongestRest - 1ms);
  CHECK_FALSE(slots.try_acquire("t", 0, "vc"));
  clock.advance(1ms);
  CHECK(slots.try_acquire("t", 0, "vc"));
}

TEST_CASE("pressure: who waits is let in when the rest is over, and when a place comes back") {
  ManualClock clock;
  Settings settings = sixteen();
  settings.vcenter_parallel = 2;
  Slots slots(settings, &clock);
  const auto held = slots.try_acquire("t", 0, "vc");
  slots.overloaded("vc", 3s);  // one place, and it is taken
  const CallLimits limits{std::chrono::steady_clock::now() + 20s, CancelFlag()};
  std::atomic<int> in{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 2; ++i)
    waiters.emplace_back([&] {
      const auto permit = slots.acquire("alice", "t", 0, "vc", limits);
      in += permit.ok();
    });
  while (slots.waiting() < 2 && std::chrono::steady_clock::now() < limits.deadline) std::this_thread::yield();
  REQUIRE(slots.waiting() == 2);
  CHECK(in == 0);
  clock.advance(3s);
  for (int i = 0; i < 10; ++i) slots.answered("vc");  // the second place
  for (std::thread& waiter : waiters) waiter.join();
  CHECK(in == 2);
}
