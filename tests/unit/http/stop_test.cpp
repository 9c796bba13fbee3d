// Starting and stopping.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "support/rounds.h"
#include "unit/http/raw_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using std::chrono::steady_clock;
using vmcp::milliseconds;

TEST_CASE("a port that is taken is an error that says so") {
  vmcp::SilentLog log;
  Server first(
      {}, [](const HttpExchangePtr&) {}, log);
  REQUIRE(first.start("127.0.0.1", 0));
  Server second(
      {}, [](const HttpExchangePtr&) {}, log);
  auto taken = second.start("127.0.0.1", first.port());
  REQUIRE_FALSE(taken);
  CHECK(taken.error().text.find("127.0.0.1:" + std::to_string(first.port())) != std::string::npos);
  Server third(
      {}, [](const HttpExchangePtr&) {}, log);
  CHECK_FALSE(third.start("no.such.host.invalid", 0).ok());
  CHECK_FALSE(first.start("127.0.0.1", 0).ok());
}

TEST_CASE("a server that was never started stops and one that stopped stops again") {
  vmcp::SilentLog log;
  Server server(
      {}, [](const HttpExchangePtr&) {}, log);
  CHECK(server.stop(milliseconds(10)));
  CHECK(server.stop(milliseconds(10)));
}

TEST_CASE("a graceful stop closes idle connections and lets the running request finish") {
  Gate gate;
  Running server({}, [&](const HttpExchangePtr& e) {
    if (e->request().path == "/wait") gate.wait();
    e->respond(text("done"));
  });
  RawClient idle(server.port()), busy(server.port());
  REQUIRE(idle.send(get("/")));
  REQUIRE(idle.answer());
  REQUIRE(busy.send(get("/wait")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));
  std::atomic<int> whole{-1};
  std::thread stopper([&] { whole = server->stop(milliseconds(8000)) ? 1 : 0; });
  CHECK(idle.closed_by_server());
  CHECK(whole == -1);
  RawClient late(server.port());  // refused: nobody listens any more
  late.send(get("/"));
  CHECK_FALSE(late.answer(milliseconds(100)));
  gate.open();
  const auto answer = busy.answer();
  REQUIRE(answer);
  CHECK(answer->body == "done");
  CHECK(answer->says("Connection: close\r\n"));
  CHECK(busy.closed_by_server());
  stopper.join();
  CHECK(whole == 1);
  CHECK(server->stats().connections == 0);
}

TEST_CASE("a stop gives up after its grace and says that something was cut") {
  Gate gate;
  std::atomic<bool> cancelled{false};
  Running server({}, [&](const HttpExchangePtr& e) {
    gate.wait();
    cancelled = e->disconnected().cancelled();
    e->respond(text("late"));
  });
  RawClient busy(server.port());
  REQUIRE(busy.send(get("/")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));
  std::thread opener([&] {
    busy.closed_by_server();  // the cut
    gate.open();
  });
  const auto before = steady_clock::now();
  CHECK_FALSE(server->stop(milliseconds(100)));
  CHECK(steady_clock::now() - before < milliseconds(3000));
  opener.join();
  CHECK(eventually([&] { return cancelled.load(); }));
}

TEST_CASE("a request that is half received when the stop begins is still served") {
  Running server({}, [](const HttpExchangePtr& e) { e->respond(text(std::string(e->request().body))); });
  RawClient client(server.port()), idle(server.port());
  REQUIRE(idle.send(get("/")));
  REQUIRE(idle.answer());
  const std::string request = post("/", "half and half");
  REQUIRE(client.send(request.substr(0, request.size() - 4)));
  RawClient probe(server.port());  // answered after the half was read, on one worker or another
  REQUIRE(probe.send(get("/")));
  REQUIRE(probe.answer());
  std::thread stopper([&] { CHECK(server->stop(milliseconds(8000))); });
  CHECK(idle.closed_by_server());
  REQUIRE(client.send(request.substr(request.size() - 4)));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body == "half and half");
  CHECK(answer->says("Connection: close\r\n"));
  stopper.join();
}

TEST_CASE("a handler that outlives its server finds the connection gone and nothing else") {
  // Everything the handler touches outlives the server here, as the server's contract demands.
  auto gate = std::make_shared<Gate>();
  auto result = std::make_shared<std::atomic<int>>(-1);
  {
    vmcp::SilentLog log;
    Server server(
        {},
        [gate, result](const HttpExchangePtr& e) {
          gate->wait();
          *result = e->respond(text("late")) ? 1 : 0;
        },
        log);
    REQUIRE(server.start("127.0.0.1", 0));
    RawClient client(server.port());
    REQUIRE(client.send(get("/")));
    REQUIRE(eventually([&] { return gate->inside() == 1; }));
  }
  CHECK(*result == -1);
  gate->open();
  CHECK(eventually([&] { return *result == 0; }));
  CHECK(eventually([&] { return result.use_count() == 1; }));  // the server's last thread let go of it
}

TEST_CASE("stopping while clients come and go neither hangs nor crashes") {
  for (int round = 0; round < vmcp::testing::rounds(5); ++round) {
    Running server({}, [](const HttpExchangePtr& e) { e->respond(text("ok")); });
    std::atomic<bool> over{false};
    std::vector<std::thread> clients;
    std::atomic<int> answers{0};
    for (int c = 0; c < 4; ++c) {
      clients.emplace_back([&] {
        while (!over) {
          RawClient client(server.port());
          for (int i = 0; i < 5 && client.send(get("/")) && client.answer(milliseconds(2000)); ++i) ++answers;
        }
      });
    }
    CHECK(eventually([&] { return answers > 50; }));
    const auto before = steady_clock::now();
    server->stop(milliseconds(2000));
    CHECK(steady_clock::now() - before < milliseconds(4000));
    over = true;
    for (auto& t : clients) t.join();
    CHECK(server->stats().connections == 0);
    CHECK(server->stats().workers == 0);
  }
}
