// Caps on connections, time-outs, slow readers, memory.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "unit/http/raw_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using std::chrono::steady_clock;
using vmcp::milliseconds;

namespace {

void ok(const HttpExchangePtr& e) {
  e->respond(text("ok"));
}

}  // namespace

TEST_CASE("connections beyond a cap are closed at once and counted") {
  ServerLimits limits;
  SUBCASE("in all") {
    limits.max_connections = 3;
  }
  SUBCASE("per address") {
    limits.max_connections_per_address = 3;
  }
  Running server(limits, ok);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    REQUIRE(clients.back()->send(get("/")));
    REQUIRE(clients.back()->answer());
  }
  RawClient over(server.port());
  CHECK(over.closed_by_server());
  CHECK(server->stats().refused_connections == 1);
  CHECK(server->stats().connections == 3);
  clients.pop_back();
  REQUIRE(eventually([&] { return server->stats().connections == 2; }));
  RawClient again(server.port());
  REQUIRE(again.send(get("/")));
  CHECK(again.answer());
}

TEST_CASE("an idle connection is closed after its time") {
  ServerLimits limits;
  limits.idle_timeout = milliseconds(150);
  Running server(limits, ok);
  RawClient fresh(server.port()), used(server.port());
  REQUIRE(used.send(get("/")));
  REQUIRE(used.answer());
  const auto before = steady_clock::now();
  CHECK(fresh.closed_by_server());
  CHECK(used.closed_by_server());
  CHECK(steady_clock::now() - before > milliseconds(80));
  CHECK(server->stats().connections == 0);
}

TEST_CASE("a head that does not end is refused after its time, drip by drip or not") {
  ServerLimits limits;
  limits.head_timeout = milliseconds(200);
  Running server(limits, ok);
  RawClient client(server.port());
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: h\r\n"));
  const auto until = steady_clock::now() + milliseconds(8000);
  std::optional<Answer> answer;
  while (!answer && steady_clock::now() < until) {
    client.send("A: b\r\n");  // bytes do not buy more time
    answer = client.answer(milliseconds(20));
  }
  REQUIRE(answer);
  CHECK(answer->status == 408);
  CHECK(server->stats().refused_requests == 1);
}

TEST_CASE("a body that does not end is refused after its time") {
  ServerLimits limits;
  limits.body_timeout = milliseconds(150);
  Running server(limits, ok);
  RawClient client(server.port());
  const std::string request = post("/", "0123456789");
  REQUIRE(client.send(request.substr(0, request.size() - 1)));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 408);
  CHECK(client.closed_by_server());
}

TEST_CASE("a time-out of reading does not touch a running call") {
  ServerLimits limits;
  limits.idle_timeout = limits.head_timeout = limits.body_timeout = limits.write_timeout = milliseconds(60);
  Gate gate;
  Running server(limits, [&](const HttpExchangePtr& e) {
    if (e->request().path == "/wait") gate.wait();
    e->respond(text("ok"));
  });
  RawClient client(server.port()), idle(server.port());
  REQUIRE(client.send(get("/wait")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));
  CHECK(idle.closed_by_server());  // several scans passed
  CHECK_FALSE(client.answer(milliseconds(150)));
  gate.open();
  CHECK(client.answer());
}

TEST_CASE("a reader that takes nothing is dropped") {
  ServerLimits limits;
  limits.write_timeout = milliseconds(200);
  Running server(limits, [](const HttpExchangePtr& e) { e->respond(text(std::string(16'000'000, 'x'))); });
  RawClient client(server.port(), 4096);
  REQUIRE(client.send(get("/")));
  REQUIRE(eventually([&] { return server->stats().requests == 1; }));
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  CHECK_FALSE(client.answer());
}

TEST_CASE("a slow reader that goes on taking gets everything") {
  ServerLimits limits;
  limits.write_timeout = milliseconds(400);
  Running server(limits, [](const HttpExchangePtr& e) { e->respond(text(std::string(6'000'000, 'x'))); });
  RawClient client(server.port(), 4096);
  REQUIRE(client.send(get("/") + get("/")));
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.answer(milliseconds(30'000));
    REQUIRE(answer);
    CHECK(answer->body.size() == 6'000'000);
  }
}

TEST_CASE("unfinished requests may not hold more memory than the budget") {
  ServerLimits limits;
  limits.max_buffered_bytes = 300'000;
  Running server(limits, ok);
  std::vector<std::unique_ptr<RawClient>> clients;
  int refused = 0;
  const std::string slow = post("/", std::string(100'000, 'x'));
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    REQUIRE(clients.back()->send(slow.substr(0, slow.size() - 1)));
  }
  REQUIRE(eventually([&] { return server->stats().refused_requests >= 3; }));
  for (auto& client : clients) {
    client->send("x");
    const auto answer = client->answer();
    REQUIRE(answer);
    if (answer->status == 503) ++refused;
  }
  CHECK(refused >= 3);
  CHECK(refused < 6);
  // What was held is given back, also by clients that leave in the middle.
  for (int i = 0; i < 8; ++i) {
    clients.clear();
    REQUIRE(eventually([&] { return server->stats().connections == 0; }));
    clients.push_back(std::make_unique<RawClient>(server.port()));
    REQUIRE(clients.back()->send(slow.substr(0, slow.size() - 1)));
    CHECK_FALSE(clients.back()->answer(milliseconds(10)));
  }
  clients.clear();
  for (int i = 0; i < 8; ++i) {
    // A handler lets go of its request a moment after its answer was read here.
    CHECK(eventually([&] {
      RawClient client(server.port());
      client.send(slow);
      const auto answer = client.answer();
      return answer && answer->status == 200;
    }));
  }
}

TEST_CASE("the descriptor limit is raised to the hard one") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit old = limit;
  limit.rlim_cur = std::min<rlim_t>(256, limit.rlim_max);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  Running server({}, ok);
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(limit.rlim_cur == old.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &old);
}
