#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "throttle/limiter.h"

using namespace vmcp;
using namespace std::chrono_literals;
using throttle::Settings;
using throttle::Slots;

namespace {

CallLimits within(std::chrono::milliseconds d) {
  return {std::chrono::steady_clock::now() + d, CancelFlag()};
}
CallLimits patient() {
  return within(20s);
}

Settings places(std::size_t tool, std::size_t vcenter, std::size_t queue = 64) {
  Settings settings;
  settings.tool_parallel = tool;
  settings.vcenter_parallel = vcenter;
  settings.queue_per_slot = queue;
  return settings;
}

template <class Condition>
void eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("slots: as many as the tool allows, and one more only when one is given back") {
  Slots slots(places(2, 10));
  auto first = slots.try_acquire("list_vms", 0, "vc");
  auto second = slots.try_acquire("list_vms", 0, "vc");
  REQUIRE(first);
  REQUIRE(second);
  const auto third = slots.try_acquire("list_vms", 0, "vc");
  REQUIRE_FALSE(third);
  CHECK(third.error().code == Code::throttled);
  CHECK(third.error().text.find("busy: 2 calls of this tool are running") == 0);
  CHECK(third.error().retry_after_ms > 0);
  CHECK(slots.try_acquire("other", 0, "vc"));
  { const Slots::Permit given_back = std::move(*first); }
  CHECK(slots.try_acquire("list_vms", 0, "vc"));
}

TEST_CASE("slots: a tool's own limit counts, and a tool without upstream takes no vCenter place") {
  Slots slots(places(16, 1));
  const auto only = slots.try_acquire("serial", 1, "");
  REQUIRE(only);
  CHECK_FALSE(slots.try_acquire("serial", 1, ""));
  const auto upstream = slots.try_acquire("a", 0, "vc");
  REQUIRE(upstream);
  const auto full = slots.try_acquire("b", 0, "vc");
  REQUIRE_FALSE(full);
  CHECK(full.error().text.find("1 calls to this vCenter are running") != std::string::npos);
  CHECK(slots.try_acquire("b", 0, ""));
  CHECK(slots.try_acquire("b", 0, "another vCenter"));
}

TEST_CASE("slots: who is refused by one place does not keep the other") {
  Slots slots(places(16, 1));
  const auto held = slots.try_acquire("a", 0, "vc");
  for (int i = 0; i < 100; ++i) CHECK_FALSE(slots.try_acquire("b", 2, "vc"));
  CHECK(slots.try_acquire("b", 2, ""));
}

TEST_CASE("slots: waits until the deadline and says what is running") {
  Slots slots(places(1, 10));
  const auto held = slots.try_acquire("t", 0, "vc");
  const auto begun = std::chrono::steady_clock::now();
  const auto late = slots.acquire("alice", "t", 0, "vc", within(60ms));
  const auto took = std::chrono::steady_clock::now() - begun;
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Code::throttled);
  CHECK(late.error().text.find("busy: 1 calls of this tool are running") == 0);
  CHECK(took >= 60ms);
  CHECK(took < 5s);
  const auto expired = slots.acquire("alice", "t", 0, "vc", within(-1ms));
  CHECK_FALSE(expired);
}

TEST_CASE("slots: a waiter is let in as soon as a place is given back") {
  Slots slots(places(1, 10));
  auto held = slots.try_acquire("t", 0, "vc");
  std::atomic<bool> in{false};
  std::thread waiter([&] { in = slots.acquire("alice", "t", 0, "vc", patient()).ok(); });
  eventually([&] { return slots.waiting() == 1; });
  { const Slots::Permit given_back = std::move(*held); }
  waiter.join();
  CHECK(in);
  CHECK(slots.try_acquire("t", 0, "vc"));
}

TEST_CASE("slots: cancellation ends the wait and is not called busy") {
  Slots slots(places(1, 10));
  const auto held = slots.try_acquire("t", 0, "vc");
  const CallLimits limits = patient();
  Code code = Code::internal;
  std::thread waiter([&] {
    auto result = slots.acquire("alice", "t", 0, "vc", limits);
    if (!result) code = result.error().code;
  });
  eventually([&] { return slots.waiting() == 1; });
  limits.cancel.cancel();
  waiter.join();
  CHECK(code == Code::cancelled);
  const auto at_once = slots.acquire("alice", "free", 0, "vc", limits);
  REQUIRE_FALSE(at_once);
  CHECK(at_once.error().code == Code::cancelled);
}

TEST_CASE("slots: a full queue refuses at once") {
  Slots slots(places(1, 10, 2));
  const auto held = slots.try_acquire("t", 0, "vc");
  std::atomic<int> refused{0};
  std::vector<std::thread> waiters;
  const CallLimits limits = patient();
  for (int i = 0; i < 3; ++i)  // the same identity three times: one too many
    waiters.emplace_back([&] {
      const auto result = slots.acquire("alice", "t", 0, "vc", limits);
      if (!result && result.error().code == Code::throttled) ++refused;
    });
  eventually([&] { return refused == 1; });
  limits.cancel.cancel();
  for (std::thread& waiter : waiters) waiter.join();
  CHECK(refused == 1);
}

TEST_CASE("slots: an identity that fills the queue makes room for another one") {
  Slots slots(places(1, 10, 4));
  auto held = slots.try_acquire("t", 0, "vc");
  std::atomic<int> greedy_refused{0}, greedy_in{0}, modest_in{0};
  std::vector<std::thread> waiters;
  const auto limits = patient();
  for (int i = 0; i < 5; ++i)
    waiters.emplace_back([&] {
      if (slots.acquire("greedy", "t", 0, "vc", limits))
        ++greedy_in;
      else
        ++greedy_refused;
    });
  eventually([&] { return greedy_refused == 1; });  // four wait: the queue is full
  waiters.emplace_back([&] { modest_in += slots.acquire("modest", "t", 0, "vc", limits).ok(); });
  eventually([&] { return greedy_refused == 2; });  // its newest made room
  { const Slots::Permit given_back = std::move(*held); }
  for (std::thread& waiter : waiters) waiter.join();
  CHECK(modest_in == 1);
  CHECK(greedy_in == 3);
}

TEST_CASE("slots: waiters are served round-robin over identities") {
  Slots slots(places(1, 100));
  auto held = slots.try_acquire("t", 0, "vc");
  std::mutex mutex;
  std::vector<std::string> order;
  std::vector<std::thread> waiters;
  const auto wait_as = [&](const std::string& identity) {
    waiters.emplace_back([&, identity] {
      const auto permit = slots.acquire(identity, "t", 0, "vc", patient());
      const std::scoped_lock lock(mutex);
      if (permit) order.push_back(identity);
    });
  };
  for (int i = 0; i < 6; ++i) wait_as("a greedy one");
  for (const char* name : {"ann", "ben"})
    for (int i = 0; i < 2; ++i) wait_as(name);
  eventually([&] { return slots.waiting() == 10; });
  { const Slots::Permit given_back = std::move(*held); }
  for (std::thread& waiter : waiters) waiter.join();
  REQUIRE(order.size() == 10);
  // Whoever is first, within the first six everybody's two were served.
  const std::vector<std::string> head(order.begin(), order.begin() + 6);
  CHECK(std::count(head.begin(), head.end(), "ann") == 2);
  CHECK(std::count(head.begin(), head.end(), "ben") == 2);
}

TEST_CASE("slots: a vCenter that hangs does not hold up calls of the same tool to another one") {
  Slots slots(places(16, 1));
  const auto hung = slots.try_acquire("t", 0, "hangs");
  const CallLimits limits = patient();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i)
    waiters.emplace_back([&] { (void)slots.acquire("a", "t", 0, "hangs", limits); });
  eventually([&] { return slots.waiting() == 4; });
  for (int i = 0; i < 50; ++i) CHECK(slots.acquire("b", "t", 0, "works", within(5s)));
  limits.cancel.cancel();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST_CASE("slots: permits may outlive the Slots and be given back on another thread") {
  Slots::Permit kept;
  {
    Slots slots(places(1, 1));
    auto permit = slots.try_acquire("t", 0, "vc");
    REQUIRE(permit);
    kept = std::move(*permit);
  }
  std::thread([permit = std::move(kept)] {}).join();
}

TEST_CASE("slots: under many threads the limits hold and every place comes back") {
  Slots slots(places(3, 5, 1000));
  struct Place {
    std::atomic<int> now{0}, most{0};
    void enter() {
      const int n = ++now;
      int m = most;
      while (n > m && !most.compare_exchange_weak(m, n)) {
      }
    }
  };
  Place tools[3], vcenter;
  std::atomic<int> in{0}, out{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 150; ++i) {
        const int tool = (t + i) % 3;
        const bool hasty = i % 10 == 0;
        CallLimits limits = within(hasty ? 1ms : 20s);
        if (i % 17 == 0) limits.cancel.cancel();
        auto permit =
            slots.acquire("id" + std::to_string(t % 5), "tool" + std::to_string(tool), 0, "vc", limits);
        if (!permit) {
          ++out;
          continue;
        }
        ++in;
        tools[tool].enter();
        vcenter.enter();
        std::this_thread::yield();
        --tools[tool].now;
        --vcenter.now;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(in + out == 16 * 150);
  CHECK(in > 1000);
  for (const Place& tool : tools) CHECK(tool.most <= 3);
  CHECK(vcenter.most <= 5);
  std::vector<Slots::Permit> all;
  for (int i = 0; i < 3; ++i) {
    auto permit = slots.try_acquire("tool0", 0, "vc");
    REQUIRE(permit);
    all.push_back(std::move(*permit));
  }
  CHECK_FALSE(slots.try_acquire("tool0", 0, "vc"));
}

TEST_CASE("slots: any number of names leaves only a bounded table behind") {
  Slots slots(places(1, 1));
  for (int i = 0; i < 20'000; ++i) CHECK(slots.try_acquire("tool-" + std::to_string(i), 0, ""));
}
