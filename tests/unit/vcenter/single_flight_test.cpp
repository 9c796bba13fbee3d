#include "vcenter/single_flight.h"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <new>
#include <thread>
#include <vector>

#include "vcenter/breaker.h"

using namespace vmcp;
using vcenter::SingleFlight;
using Flight = SingleFlight<int>;

namespace {

CallLimits within_ms(int ms) {
  return {std::chrono::steady_clock::now() + milliseconds{ms}, CancelFlag()};
}

class HandClock final : public Clock {
 public:
  SteadyTime now() const override { return now_; }
  WallTime wall() const override { return {}; }
  void advance(milliseconds by) { now_ += by; }

 private:
  SteadyTime now_{std::chrono::hours{1}};
};

}  // namespace

TEST_CASE("a value is made once for all who ask at the same time") {
  Flight flight;
  std::atomic<int> made{0};
  std::latch start(16);
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      const auto got = flight.get(within_ms(5000), [&](const CallLimits&) {
        ++made;
        return Flight::Made{7};
      });
      if (got.ok()) sum += *got;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(made == 1);
  CHECK(sum == 16 * 7);
}

TEST_CASE("the cancellation of the one who makes it is not the others' failure") {
  Flight flight;
  std::latch inside(1), waiting(1);
  CancelFlag cancel;
  std::thread leader([&] {
    const auto got = flight.get({std::chrono::steady_clock::now() + milliseconds{5000}, cancel},
                                [&](const CallLimits& own) {
                                  inside.count_down();
                                  while (!own.cancel.cancelled()) std::this_thread::yield();
                                  return Flight::Made{make_error(Code::cancelled, "gone")};
                                });
    CHECK_FALSE(got.ok());
  });
  inside.wait();
  std::thread follower([&] {
    waiting.count_down();
    const auto got = flight.get(within_ms(5000), [](const CallLimits&) { return Flight::Made{9}; });
    REQUIRE(got.ok());
    CHECK(*got == 9);
  });
  waiting.wait();
  cancel.cancel();
  leader.join();
  follower.join();
}

TEST_CASE("a waiter leaves at its own deadline or cancellation") {
  Flight flight;
  std::latch inside(1), leave(1);
  std::thread leader([&] {
    (void)flight.get(within_ms(5000), [&](const CallLimits&) {
      inside.count_down();
      leave.wait();
      return Flight::Made{1};
    });
  });
  inside.wait();
  const auto never = [](const CallLimits&) -> Flight::Made { return {0}; };
  const auto late = flight.get(within_ms(30), never);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == Code::timeout);
  CallLimits gone = within_ms(5000);
  gone.cancel.cancel();
  const auto cancelled = flight.get(gone, never);
  REQUIRE_FALSE(cancelled.ok());
  CHECK(cancelled.error().code == Code::cancelled);
  leave.count_down();
  leader.join();
}

TEST_CASE("a failure is shared with those who waited, and remembered only if asked") {
  Flight flight;
  int made = 0;
  const auto fail = [&](milliseconds remember) {
    return [&made, remember](const CallLimits&) {
      ++made;
      return Flight::Made{make_error(Code::unavailable, "no"), remember};
    };
  };
  CHECK_FALSE(flight.get(within_ms(1000), fail(milliseconds{0})).ok());
  CHECK_FALSE(flight.get(within_ms(1000), fail(milliseconds{60'000})).ok());
  CHECK(made == 2);
  const auto remembered = flight.get(within_ms(1000), fail(milliseconds{0}));
  REQUIRE_FALSE(remembered.ok());
  CHECK(made == 2);
  CHECK(remembered.error().retry_after_ms > 50'000);
  CHECK_FALSE(flight.take().has_value());
  CHECK(flight.get(within_ms(1000), [](const CallLimits&) { return Flight::Made{3}; }).ok());
}

TEST_CASE("a maker that throws leaves the door open") {
  Flight flight;
  CHECK_THROWS_AS(
      (void)flight.get(within_ms(1000), [](const CallLimits&) -> Flight::Made { throw std::bad_alloc(); }),
      std::bad_alloc);
  CHECK(flight.get(within_ms(1000), [](const CallLimits&) { return Flight::Made{3}; }).ok());
}

TEST_CASE("the breaker opens after failures in a row, lets one probe through, and closes on an answer") {
  HandClock clock;
  vcenter::Breaker breaker(clock);
  for (int i = 1; i < vcenter::Breaker::kFailures; ++i) CHECK_FALSE(breaker.missed());
  CHECK_FALSE(breaker.resting().has_value());
  breaker.reached();
  for (int i = 1; i < vcenter::Breaker::kFailures; ++i) CHECK_FALSE(breaker.missed());
  CHECK(breaker.missed());
  CHECK(breaker.resting() == vcenter::Breaker::kRest);
  clock.advance(vcenter::Breaker::kRest);
  CHECK_FALSE(breaker.resting().has_value());  // the probe
  CHECK(breaker.resting().has_value());        // nobody else
  CHECK(breaker.missed());
  CHECK(breaker.resting().has_value());
  clock.advance(vcenter::Breaker::kRest);
  CHECK_FALSE(breaker.resting().has_value());
  breaker.reached();
  CHECK_FALSE(breaker.resting().has_value());
}
