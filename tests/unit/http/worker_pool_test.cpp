#include "http/worker_pool.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include "http/live_exchange.h"
#include "unit/http/raw_client.h"

using namespace vmcp::http;
using std::chrono::steady_clock;
using vmcp::milliseconds;
using vmcp::http::test::eventually;

namespace {

// Workers that have nothing to wait for.
void idle_body(WorkerPool& pool, Worker& self) {
  while (pool.keep_working(self)) std::this_thread::yield();
}

}  // namespace

TEST_CASE("spares park when the blocked come back, and retire when nobody needs them") {
  const auto pool = std::make_shared<WorkerPool>(
      PoolLimits{.workers = 2, .max_workers = 5, .max_stuck = 2, .spare_idle = milliseconds(40)});
  // The first two workers that find the switch on call themselves blocked until it is off.
  std::atomic<bool> block{true};
  std::atomic<int> blocked{0};
  const auto body = [&, p = pool.get()](Worker& self) {
    if (blocked.fetch_add(1) < 2) {
      CHECK(p->current() == &self);
      CHECK(p->enter_blocking(self));
      CHECK(p->enter_blocking(self));  // asking twice is asking once
      while (block) std::this_thread::yield();
      p->leave_blocking(self);
    }
    idle_body(*p, self);
  };
  REQUIRE(pool->start(pool, body));
  CHECK(pool->current() == nullptr);
  REQUIRE(eventually([&] { return pool->counts().blocked == 2; }));
  CHECK(pool->counts().total == 4);
  block = false;
  CHECK(eventually([&] {
    pool->reap();
    return pool->counts().total == 2;
  }));
  CHECK(pool->counts().blocked == 0);
  CHECK(pool->stop(steady_clock::now() + milliseconds(5000), [] {}) == 0);
  CHECK(pool->counts().total == 0);
}

TEST_CASE("a pool that is stopped lets nobody block") {
  const auto pool = std::make_shared<WorkerPool>(PoolLimits{.workers = 2, .max_workers = 5});
  std::atomic<int> verdicts{0};
  REQUIRE(pool->start(pool, [&, p = pool.get()](Worker& self) {
    idle_body(*p, self);
    if (!p->enter_blocking(self)) ++verdicts;
  }));
  CHECK(pool->stop(steady_clock::now() + milliseconds(5000), [] {}) == 0);
  CHECK(verdicts == 2);
}
