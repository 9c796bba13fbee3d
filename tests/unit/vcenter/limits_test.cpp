// Nobody waits longer than the call allows.
#include <thread>

#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {}

TEST_CASE("a deadline ends a slow request within 300 ms of it") {
  FakeVcenter fake;
  fake.on("GET", "/api/vcenter/host", {{200, "[]"}});
  fake.on("GET", kVm, {{200, "{}", {}, true}});
  Client client(fake);
  REQUIRE(client.get("/api/vcenter/host").ok());
  const long took = shortest_ms(700, [&] {
    const auto reply = client.get(kVm, within(400ms));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::timeout);
  });
  CHECK(took >= 400);
  CHECK(took < 700);
}

TEST_CASE("the configured time for one request ends it too") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}", {}, true}});
  auto settings = settings_for(fake);
  settings.timeout = 300ms;
  Client client(settings);
  const long took = shortest_ms(1000, [&] {
    const auto reply = client.get(kVm, within(20s));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::timeout);
  });
  CHECK(took < 1000);
}

TEST_CASE("a cancelled call returns within 300 ms") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}", {}, true}});
  Client client(fake);
  auto late = 10'000ms;
  for (int round = 1; round <= 5 && late >= 300ms; ++round) {
    const CallLimits limits = within(20s);
    SteadyTime cancelled_at{};
    std::thread canceller([&] {
      CHECK(fake.wait_for("GET", kVm, round));
      cancelled_at = std::chrono::steady_clock::now();
      limits.cancel.cancel();
    });
    const auto reply = client.get(kVm, limits);
    const auto returned = std::chrono::steady_clock::now();
    canceller.join();
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::cancelled);
    late = std::chrono::duration_cast<milliseconds>(returned - cancelled_at);
  }
  CHECK(late < 300ms);
}

TEST_CASE("a call that is already over sends nothing, also over a connection that is at hand") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.on("DELETE", kVm, {{204, ""}});
  Client client(fake);
  REQUIRE(client.get(kVm).ok());
  CallLimits cancelled = within(20s);
  cancelled.cancel.cancel();
  CHECK(client.send("DELETE", kVm, "", cancelled).error->code == Code::cancelled);
  const auto late = client.send("DELETE", kVm, "", within(-1s));
  REQUIRE_FALSE(late.ok());
  CHECK(late.error->code == Code::timeout);
  CHECK_FALSE(late.maybe_happened);
  CHECK(fake.count("DELETE", kVm) == 0);
}

TEST_CASE("waiting between attempts is cut by the cancellation") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{503, "", {{"Retry-After", "4"}}}});
  Client client(fake);
  const CallLimits limits = within(20s);
  std::thread canceller([&] {
    CHECK(fake.wait_for("GET", kVm, 1));
    limits.cancel.cancel();
  });
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(client.get(kVm, limits).ok());
  canceller.join();
  CHECK(ms_since(start) < 4000);
}

TEST_CASE("waiting for a free connection is bounded by the deadline") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.on("GET", "/api/vcenter/host", {{200, "[]", {}, true}});
  auto settings = settings_for(fake);
  settings.max_connections = 1;
  Client client(settings);
  REQUIRE(client.get(kVm).ok());
  std::thread holder([&] { CHECK(client.get("/api/vcenter/host").ok()); });
  REQUIRE(fake.wait_for("GET", "/api/vcenter/host", 1));
  const long took = shortest_ms(500, [&] {
    const auto reply = client.send("DELETE", kVm, "", within(200ms));
    REQUIRE_FALSE(reply.ok());
    CHECK_FALSE(reply.maybe_happened);
  });
  CHECK(took < 500);
  CHECK(fake.count("DELETE", kVm) == 0);
  fake.release();
  holder.join();
}
