// Who gets how much, counted while a test owns the clock: within 1 % of what is due.
#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "throttle/fair_queue.h"
#include "throttle/limiter.h"
#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::FairQueue;
using throttle::Fate;
using throttle::Limiter;
using throttle::Settings;
using throttle::Waiter;

namespace {

bool within_1_percent(double got, double due) {
  return std::abs(got - due) <= due / 100;
}

// Identities that always want more, over places that each hold a call for some time.
class QueueModel {
 public:
  QueueModel(std::size_t tool_places, std::size_t vcenter_places)
      : queue_(1'000'000), tool_places_(tool_places), vcenter_places_(vcenter_places) {}

  // `backlog` waiters of this identity stand in the queue at any time.
  void add(const std::string& identity, const std::string& tool, const std::string& vcenter,
           std::size_t backlog) {
    callers_.push_back({identity, tool, vcenter, 0});
    for (std::size_t i = 0; i < backlog; ++i) enqueue(callers_.size() - 1);
  }

  // Runs until so many calls have ended; a call of caller i lasts hold(i).
  template <class Hold>
  void run(std::size_t calls, Hold hold) {
    queue_.serve();
    for (std::size_t ended = 0; ended < calls; ++ended) {
      collect(hold);
      REQUIRE_FALSE(running_.empty());
      const Running next = running_.top();
      running_.pop();
      clock_.advance(next.until - clock_.now());
      queue_.release(next.waiter->tool, next.waiter->vcenter);
    }
  }
  std::size_t served(std::size_t caller) const { return callers_[caller].served; }
  std::size_t most_running() const { return most_; }

 private:
  struct Caller {
    std::string identity, tool, vcenter;
    std::size_t served;
  };
  struct Running {
    SteadyTime until;
    std::shared_ptr<Waiter> waiter;
    bool operator<(const Running& other) const { return until > other.until; }
  };
  struct Waiting {
    std::size_t caller;
    std::shared_ptr<Waiter> waiter;
  };

  void enqueue(std::size_t caller) {
    const Caller& c = callers_[caller];
    std::shared_ptr<Waiter> waiter(new Waiter{queue_.tool(c.tool, tool_places_),
                                              queue_.vcenter(c.vcenter, vcenter_places_), c.identity});
    queue_.enqueue(*waiter);
    waiting_.push_back({caller, std::move(waiter)});
  }

  template <class Hold>
  void collect(Hold hold) {
    for (std::size_t i = 0; i < waiting_.size();) {
      if (waiting_[i].waiter->fate != Fate::granted) {
        ++i;
        continue;
      }
      const Waiting granted = waiting_[i];
      waiting_[i] = waiting_.back();
      waiting_.pop_back();
      ++callers_[granted.caller].served;
      running_.push({clock_.now() + hold(granted.caller), granted.waiter});
      enqueue(granted.caller);
    }
    most_ = std::max(most_, running_.size());
  }

  ManualClock clock_;
  FairQueue queue_;
  const std::size_t tool_places_, vcenter_places_;
  std::vector<Caller> callers_;
  std::vector<Waiting> waiting_;
  std::priority_queue<Running> running_;
  std::size_t most_ = 0;
};

}  // namespace

TEST_CASE("fairness: the queue gives everybody the same, however many of one caller wait") {
  QueueModel model(4, 100);
  for (int i = 0; i < 7; ++i) model.add("modest-" + std::to_string(i), "t", "vc", 1);
  model.add("greedy", "t", "vc", 200);
  constexpr std::size_t kCalls = 20'000;
  std::size_t n = 0;
  model.run(kCalls, [&](std::size_t) { return milliseconds(10 + ++n * 7 % 90); });
  CHECK(model.most_running() == 4);
  for (std::size_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(within_1_percent(static_cast<double>(model.served(i)), kCalls / 8.0));
  }
}

TEST_CASE("fairness: a caller whose calls are slow gets as many of them as the others") {
  QueueModel model(3, 100);
  for (int i = 0; i < 5; ++i) model.add("caller-" + std::to_string(i), "t", "vc", 4);
  constexpr std::size_t kCalls = 10'000;
  model.run(kCalls, [](std::size_t caller) { return milliseconds(caller == 0 ? 1000 : 10); });
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(within_1_percent(static_cast<double>(model.served(i)), kCalls / 5.0));
}

TEST_CASE("fairness: the vCenter's places are shared fairly by callers of different tools") {
  QueueModel model(100, 6);
  for (int i = 0; i < 10; ++i)
    model.add("caller-" + std::to_string(i), "tool-" + std::to_string(i % 3), "vc", i == 0 ? 60u : 2u);
  constexpr std::size_t kCalls = 20'000;
  model.run(kCalls, [](std::size_t) { return 10ms; });
  CHECK(model.most_running() == 6);
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(within_1_percent(static_cast<double>(model.served(i)), kCalls / 10.0));
}

TEST_CASE("fairness: equal buckets give equally, however hard one of them is pressed") {
  ManualClock clock;
  Settings settings;
  settings.identity = {10, 5};
  Limiter limiter(settings, clock);
  constexpr int kSeconds = 200, kCallers = 10;
  std::vector<int> passed(kCallers);
  for (int tick = 0; tick < kSeconds * 100; ++tick, clock.advance(10ms))
    for (int i = 0; i < kCallers; ++i)
      for (int tries = i == 0 ? 30 : 1; tries > 0; --tries)
        passed[static_cast<std::size_t>(i)] += limiter.take("id-" + std::to_string(i), "r", "t", 1).ok();
  for (const int n : passed) CHECK(within_1_percent(n, kSeconds * 10 + 5));
}

TEST_CASE("fairness: different rates and costs give in their proportion") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1, 1};
  settings.identities = {{"a", {1, 1}}, {"b", {2.5, 3}}, {"c", {7, 10}}, {"d", {20, 2}}};
  settings.tool_costs["dear"] = 4;
  Limiter limiter(settings, clock);
  constexpr int kSeconds = 1000;
  double spent[4] = {};
  const char* names[] = {"a", "b", "c", "d"};
  for (int tick = 0; tick < kSeconds * 100; ++tick, clock.advance(10ms))
    for (std::size_t i = 0; i < 4; ++i) {
      // c mixes dear calls with cheap ones; what it may spend stays the same.
      const bool dear = i == 2 && tick % 2 == 0;
      if (limiter.take(names[i], "r", dear ? "dear" : "cheap", 1)) spent[i] += dear ? 4 : 1;
    }
  CHECK(within_1_percent(spent[0], 1 * kSeconds));
  CHECK(within_1_percent(spent[1], 2.5 * kSeconds));
  CHECK(within_1_percent(spent[2], 7 * kSeconds));
  CHECK(within_1_percent(spent[3], 20 * kSeconds));
}

TEST_CASE("fairness: one tool's bucket is shared by all who find it empty together") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1000, 1000};
  settings.tools["t"] = {50, 50};
  Limiter limiter(settings, clock);
  constexpr int kSeconds = 100;
  int passed = 0;
  for (int tick = 0; tick < kSeconds * 100; ++tick, clock.advance(10ms))
    for (int i = 0; i < 10; ++i) passed += limiter.take("id-" + std::to_string(i), "r", "t", 1).ok();
  CHECK(within_1_percent(passed, kSeconds * 50 + 50));
}
