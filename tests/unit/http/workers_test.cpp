// Workers that block, overrun or never come back, and clients that leave.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "unit/http/raw_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using std::chrono::steady_clock;
using vmcp::milliseconds;

namespace {

using Clients = std::vector<std::unique_ptr<RawClient>>;

Clients send_from_many(std::size_t count, std::uint16_t port, const std::string& bytes) {
  Clients clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(port));
    REQUIRE(clients.back()->send(bytes));
  }
  return clients;
}

}  // namespace

TEST_CASE("forty slow bodies do not hold up a good request") {
  ServerLimits limits;
  limits.workers = 4;
  Running server(limits, [](const HttpExchangePtr& e) { e->respond(text("ok")); });
  const std::string slow = post("/slow", std::string(1000, 'x'));
  Clients clients = send_from_many(40, server.port(), slow.substr(0, slow.size() - 500));
  RawClient good(server.port());
  const auto before = steady_clock::now();
  REQUIRE(good.send(post("/good", "x")));
  REQUIRE(good.answer());
  CHECK(steady_clock::now() - before < milliseconds(1000));
  for (auto& client : clients) REQUIRE(client->send(std::string(500, 'x')));
  for (auto& client : clients) CHECK(client->answer()->status == 200);
}

TEST_CASE("calls that block are made up for by spares until there are no more") {
  ServerLimits limits;
  limits.workers = 3;
  limits.max_workers = 8;
  Gate gate;
  Running server(limits, [&](const HttpExchangePtr& e) {
    if (e->request().path != "/block") return static_cast<void>(e->respond(text("free")));
    if (!e->enter_blocking()) return static_cast<void>(e->respond(text("none left", 503)));
    gate.wait();
    e->leave_blocking();
    e->respond(text("done"));
  });
  Clients clients = send_from_many(6, server.port(), get("/block"));
  REQUIRE(eventually([&] { return gate.inside() == 6; }));
  CHECK(server->stats().blocked == 6);
  CHECK(server->stats().workers == 8);  // two beside the six
  RawClient refused(server.port());
  REQUIRE(refused.send(get("/block")));
  CHECK(refused.answer()->status == 503);
  RawClient free(server.port());
  REQUIRE(free.send(get("/")));
  CHECK(free.answer()->body == "free");
  gate.open();
  for (auto& client : clients) CHECK(client->answer()->body == "done");
  CHECK(eventually([&] { return server->stats().blocked == 0; }));
  // Parked spares are woken, not added to.
  REQUIRE(refused.send(get("/block")));
  CHECK(refused.answer()->body == "done");
  CHECK(server->stats().workers <= 8);
}

TEST_CASE("a single worker still leaves two for the sockets") {
  ServerLimits limits;
  limits.workers = 1;
  limits.max_workers = 3;
  Gate gate;
  Running server(limits, [&](const HttpExchangePtr& e) {
    const bool may = e->request().path == "/block" && e->enter_blocking();
    if (may) gate.wait();
    e->respond(text(may ? "done" : "at once"));
  });
  RawClient blocked(server.port());
  REQUIRE(blocked.send(get("/block")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));
  CHECK(server->stats().workers == 3);
  RawClient other(server.port());
  REQUIRE(other.send(get("/block")));
  CHECK(other.answer()->body == "at once");
  gate.open();
  CHECK(blocked.answer()->body == "done");
  // leave_blocking() was forgotten: the worker counts as free again all the same.
  CHECK(eventually([&] { return server->stats().blocked == 0; }));
}

TEST_CASE("an overrun is answered on time and the late answer is dropped") {
  Gate gate;
  std::atomic<int> overruns{0};
  std::atomic<int> late{-1};
  Running server({}, [&](const HttpExchangePtr& e) {
    if (e->request().path != "/late") return static_cast<void>(e->respond(text("next")));
    e->answer_by(steady_clock::now() + milliseconds(100), [&, e] {
      ++overruns;
      e->respond(text("too late", 504));
    });
    gate.wait();
    late = e->respond(text("the late one")) ? 1 : 0;
  });
  RawClient client(server.port());
  const auto before = steady_clock::now();
  REQUIRE(client.send(get("/late") + get("/next")));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 504);
  CHECK(steady_clock::now() - before >= milliseconds(100));
  CHECK(steady_clock::now() - before < milliseconds(1000));
  CHECK(client.answer()->body == "next");  // the connection goes on while the handler is stuck
  CHECK(eventually([&] { return server->stats().stuck == 1; }));
  CHECK(server->stats().workers == 5);
  CHECK(eventually(
      [&] { return server.log_text().find("http.worker_stuck path=/late") != std::string::npos; }));
  gate.open();
  CHECK(eventually([&] { return late == 0; }));
  CHECK(eventually([&] { return server->stats().stuck == 0; }));
  CHECK(overruns == 1);
}

TEST_CASE("a call answered in time is not overrun") {
  std::atomic<int> overruns{0};
  Running server({}, [&](const HttpExchangePtr& e) {
    e->answer_by(steady_clock::now() + milliseconds(30), [&] { ++overruns; });
    e->respond(text("ok"));
  });
  RawClient client(server.port());
  const auto until = steady_clock::now() + milliseconds(200);
  while (steady_clock::now() < until) {
    REQUIRE(client.send(get("/")));
    REQUIRE(client.answer());
  }
  CHECK(overruns == 0);
  CHECK(server->stats().stuck == 0);
}

TEST_CASE("a call kept for later is overrun too, and a silent overrun becomes 500") {
  std::mutex mutex;
  std::vector<HttpExchangePtr> kept;
  Running server({}, [&](const HttpExchangePtr& e) {
    e->answer_by(steady_clock::now() + milliseconds(60), [e = e.get()] {
      if (e->request().path == "/throws") throw std::runtime_error("in overrun");
      if (e->request().path == "/answers") e->respond(text("late", 504));
    });
    std::lock_guard lock(mutex);
    kept.push_back(e);
  });
  for (const auto& [path, status] : {std::pair("/answers", 504), {"/throws", 500}, {"/silent", 500}}) {
    CAPTURE(path);
    RawClient client(server.port());
    REQUIRE(client.send(get(path)));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == status);
  }
  CHECK(server->stats().stuck == 0);  // no worker waited for them
  std::lock_guard lock(mutex);
  for (const auto& e : kept) CHECK_FALSE(e->respond(text("too late")));
}

TEST_CASE("twice as many handlers that never return as there are workers") {
  ServerLimits limits;
  limits.workers = 4;
  Gate gate;
  Running server(limits, [&](const HttpExchangePtr& e) {
    const bool asks = e->request().path == "/asks";
    if (!asks && e->request().path != "/never") return static_cast<void>(e->respond(text("alive")));
    e->answer_by(steady_clock::now() + milliseconds(200), [e] { e->respond(text("overrun", 504)); });
    if (asks && !e->enter_blocking()) return static_cast<void>(e->respond(text("no", 503)));
    gate.wait();
  });
  std::string path;
  SUBCASE("that asked before they blocked: others are served at once") {
    path = "/asks";
  }
  SUBCASE("that did not ask: others are served when the workers were replaced") {
    path = "/never";
  }
  Clients stuck = send_from_many(8, server.port(), get(path));
  RawClient other(server.port());
  const auto before = steady_clock::now();
  REQUIRE(other.send(get("/other")));
  REQUIRE(other.answer());
  const auto took = steady_clock::now() - before;
  CHECK(took < milliseconds(path == "/asks" ? 200 : 1400));
  for (auto& client : stuck) {
    const auto answer = client->answer();
    REQUIRE(answer);
    CHECK(answer->status == 504);
  }
  CHECK(eventually([&] { return server->stats().stuck == 8; }));
  // The bound of stuck workers is reached: whoever wants to block is told so, the rest works.
  REQUIRE(other.send(get("/asks")));
  CHECK(other.answer()->status == 503);
  REQUIRE(other.send(get("/other")));
  CHECK(other.answer()->body == "alive");
  gate.open();
  CHECK(eventually([&] { return server->stats().stuck == 0; }));
  REQUIRE(other.send(get("/other")));
  CHECK(other.answer()->body == "alive");
}

TEST_CASE("a client that leaves is noticed while its call blocks") {
  Gate gate;
  std::atomic<bool> entered{false}, noticed{false};
  std::atomic<int> accepted{-1};
  std::string way;
  SUBCASE("by closing") {
    way = "close";
  }
  SUBCASE("by a half close") {
    way = "half";
  }
  SUBCASE("by a reset") {
    way = "reset";
  }
  Running server({}, [&](const HttpExchangePtr& e) {
    const vmcp::CancelFlag gone = e->disconnected();
    REQUIRE(e->enter_blocking());
    entered = true;
    noticed = eventually([&] { return gone.cancelled(); });
    e->leave_blocking();
    gate.wait();
    accepted = e->respond(text("late")) ? 1 : 0;
  });
  auto client = std::make_unique<RawClient>(server.port());
  REQUIRE(client->send(post("/", "x") + "pipelined bytes are not a disconnect"));
  REQUIRE(eventually([&] { return entered.load(); }));
  CHECK_FALSE(noticed);
  if (way == "close") client.reset();
  if (way == "half") client->half_close();
  if (way == "reset") client->reset();
  CHECK(eventually([&] { return noticed.load(); }));
  if (way == "reset") CHECK(eventually([&] { return server->stats().connections == 0; }));
  gate.open();
  CHECK(eventually([&] { return accepted >= 0; }));
  if (way == "half") {
    CHECK(accepted == 1);
    CHECK(client->answer()->body == "late");
  }
  if (way == "reset") CHECK(accepted == 0);
}

TEST_CASE("a disconnect of one call does not reach the next") {
  std::vector<vmcp::CancelFlag> flags;
  std::mutex mutex;
  ServerLimits limits;
  limits.workers = 1;
  Running server(limits, [&](const HttpExchangePtr& e) {
    const vmcp::CancelFlag flag = e->disconnected();
    {
      std::lock_guard lock(mutex);
      flags.push_back(flag);
    }
    if (e->request().path == "/leave") {
      e->enter_blocking();
      eventually([&] { return flag.cancelled(); });
      e->leave_blocking();
    }
    e->respond(text("x"));
  });
  {
    RawClient leaving(server.port());
    REQUIRE(leaving.send(get("/leave")));
  }
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return flags.size() == 1 && flags[0].cancelled();
  }));
  RawClient client(server.port());
  for (int i = 0; i < 20; ++i) {
    REQUIRE(client.send(get("/stay")));
    REQUIRE(client.answer());
  }
  std::lock_guard lock(mutex);
  for (std::size_t i = 1; i < flags.size(); ++i) CHECK_FALSE(flags[i].cancelled());
}

TEST_CASE("calls race with overruns and leaving clients without a lost or doubled answer") {
  ServerLimits limits;
  limits.workers = 4;
  std::atomic<int> first{0}, second{0};
  Running server(limits, [&](const HttpExchangePtr& e) {
    e->answer_by(steady_clock::now() + milliseconds(20), [&, e] {
      if (e->respond(text("overrun", 504))) ++first;
    });
    const bool blocking = e->enter_blocking();
    const auto until = steady_clock::now() + milliseconds(e->request().body.size());
    while (steady_clock::now() < until) std::this_thread::yield();
    if (blocking) e->leave_blocking();
    if (e->respond(text("done"))) ++second;
  });
  std::vector<std::thread> clients;
  std::atomic<int> answers{0};
  for (int c = 0; c < 6; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; i < 15; ++i) {
        RawClient client(server.port());
        // About as long as the deadline and the watch's tick, so that both sides win sometimes.
        if (!client.send(post("/", std::string(static_cast<std::size_t>(10 + (i + c) % 5 * 6), 'x')))) return;
        if (i % 5 == 4) continue;  // leaves without reading
        if (client.answer()) ++answers;
      }
    });
  }
  for (auto& t : clients) t.join();
  CHECK(answers == 6 * 12);
  CHECK(eventually([&] { return server->stats().stuck == 0 && server->stats().blocked == 0; }));
  CHECK(first + second >= answers);
}
