#include "pipeline/background.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>

using namespace vmcp;
using pipeline::Background;
using namespace std::chrono_literals;

TEST_CASE("background: work runs with leave to block, and is told when the server stops") {
  SilentLog log;
  Background background(2, 8, log);
  std::promise<bool> asked;
  std::promise<void> started;
  std::atomic<bool> told{false};
  REQUIRE(background.run(
      [&](const std::shared_ptr<Exchange>& exchange) { asked.set_value(exchange->enter_blocking()); }));
  CHECK(asked.get_future().get());
  REQUIRE(background.run([&](const std::shared_ptr<Exchange>& exchange) {
    const CancelFlag gone = exchange->disconnected();
    started.set_value();
    while (!gone.cancelled()) std::this_thread::yield();
    told = true;
  }));
  started.get_future().wait();
  CHECK(background.stop(10s));
  CHECK(told.load());
  CHECK_FALSE(background.run([](const std::shared_ptr<Exchange>&) {}));
}

TEST_CASE("background: a call that overruns is answered on time, while its thread is still busy") {
  SilentLog log;
  Background background(1, 8, log);
  std::promise<void> overrun, release;
  const auto released = release.get_future().share();
  REQUIRE(background.run([&, released](const std::shared_ptr<Exchange>& exchange) {
    exchange->answer_by(std::chrono::steady_clock::now() + 20ms, [&] { overrun.set_value(); });
    released.wait();
  }));
  CHECK(overrun.get_future().wait_for(5s) == std::future_status::ready);
  release.set_value();
  CHECK(background.stop(10s));
}

TEST_CASE(
    "background: the queue is bounded, an exception costs its own work only, a hanging call is let go") {
  SilentLog log;
  auto background = std::make_unique<Background>(1, 2, log);
  const auto release = std::make_shared<std::promise<void>>();
  const auto released = release->get_future().share();
  std::promise<void> started;
  REQUIRE(background->run([&started, released](const std::shared_ptr<Exchange>&) {
    started.set_value();
    released.wait();
  }));
  started.get_future().wait();
  std::promise<void> after;
  REQUIRE(background->run([](const std::shared_ptr<Exchange>&) { throw std::runtime_error("boom"); }));
  REQUIRE(background->run([&after](const std::shared_ptr<Exchange>&) { after.set_value(); }));
  CHECK_FALSE(background->run([](const std::shared_ptr<Exchange>&) {}));
  release->set_value();
  CHECK(after.get_future().wait_for(5s) == std::future_status::ready);

  const auto never = std::make_shared<std::promise<void>>();
  std::promise<void> hanging;
  REQUIRE(background->run(
      [&hanging, never, gate = never->get_future().share()](const std::shared_ptr<Exchange>&) {
        hanging.set_value();
        gate.wait();
      }));
  hanging.get_future().wait();
  CHECK_FALSE(background->stop(50ms));
  never->set_value();
}
