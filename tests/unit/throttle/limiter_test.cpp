#include "throttle/limiter.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::Limiter;
using throttle::Settings;

TEST_CASE("limiter: a burst passes, then the wait is stated in words and in milliseconds") {
  ManualClock clock;
  Settings settings;
  settings.identity = {5, 10};
  Limiter limiter(settings, clock);
  for (int i = 0; i < 10; ++i) REQUIRE(limiter.take("alice", "ops", "list_vms", 1));
  const auto refused = limiter.take("alice", "ops", "list_vms", 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::throttled);
  CHECK(refused.error().text.find("Rate limit exceeded") == 0);
  CHECK(refused.error().text.find("wait 0.2 s (200 ms)") != std::string::npos);
  CHECK(refused.error().retry_after_ms == 200);
  CHECK(refused.error().rule == "limit identity alice");
  CHECK(limiter.take("bob", "ops", "list_vms", 1));
  clock.advance(199ms);
  CHECK_FALSE(limiter.take("alice", "ops", "list_vms", 1));
  clock.advance(1ms);
  CHECK(limiter.take("alice", "ops", "list_vms", 1));
  CHECK_FALSE(limiter.take("alice", "ops", "list_vms", 1));
}

TEST_CASE("limiter: the stated wait is always enough") {
  ManualClock clock;
  Settings settings;
  settings.identity = {3.7, 2};
  Limiter limiter(settings, clock);
  for (int i = 0; i < 200; ++i) {
    const double cost = 0.3 + (i % 7) * 0.25;
    auto result = limiter.take("a", "", "", cost);
    if (result) continue;
    clock.advance(milliseconds(result.error().retry_after_ms));
    REQUIRE(limiter.take("a", "", "", cost));
  }
}

TEST_CASE("limiter: a cost above the burst, or no number at all, costs the whole burst") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1, 4};
  Limiter limiter(settings, clock);
  CHECK(limiter.take("a", "", "", 1000));
  CHECK_FALSE(limiter.take("a", "", "", 0.5));
  CHECK(limiter.take("b", "", "", std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(limiter.take("b", "", "", 0.5));
  CHECK(limiter.take("c", "", "", -3));
  CHECK_FALSE(limiter.take("c", "", "", 0.5));
  CHECK(limiter.take("d", "", "", std::numeric_limits<double>::infinity()));
}

TEST_CASE("limiter: switched off it lets everything pass") {
  ManualClock clock;
  Settings settings;
  settings.enabled = false;
  settings.identity = {1, 1};
  settings.address = {1, 1};
  Limiter limiter(settings, clock);
  for (int i = 0; i < 100; ++i) {
    CHECK(limiter.take("a", "", "", 1));
    CHECK(limiter.take_address("10.0.0.1"));
  }
}

TEST_CASE("limiter: a host cannot multiply itself by its IPv6 addresses or by mapped IPv4") {
  ManualClock clock;
  Settings settings;
  settings.address = {1, 2};
  Limiter limiter(settings, clock);
  CHECK(limiter.take_address("2001:db8:1:2::1"));
  CHECK(limiter.take_address("2001:db8:1:2:ffff::9"));
  const auto refused = limiter.take_address("2001:DB8:1:2:a:b:c:d");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().rule == "limit address");
  CHECK(limiter.take_address("2001:db8:1:3::1"));
  CHECK(limiter.take_address("192.0.2.7"));
  CHECK(limiter.take_address("::ffff:192.0.2.7"));
  CHECK_FALSE(limiter.take_address("192.0.2.7"));
  CHECK(limiter.take_address("fe80::1%eth0"));
  CHECK(limiter.take_address("fe80::2%eth1"));
  CHECK_FALSE(limiter.take_address("fe80::3"));
  CHECK(limiter.take_address(""));
  CHECK(limiter.take_address(std::string(5000, ':')));
}

TEST_CASE("limiter: the bucket that is empty is named, with what it holds and when it is full") {
  ManualClock clock;
  Settings settings;
  settings.identity = {100, 100};
  settings.roles["ops"] = {2, 4};
  settings.tools["delete_vm"] = {0.1, 2};
  Limiter limiter(settings, clock);
  REQUIRE(limiter.take("alice", "ops", "delete_vm", 1));
  REQUIRE(limiter.take("bob", "ops", "delete_vm", 1));
  const auto tool = limiter.take("carol", "ops", "delete_vm", 1);
  REQUIRE_FALSE(tool);
  CHECK(tool.error().rule == "limit tool delete_vm");
  CHECK(tool.error().quota.limit == 2);
  CHECK(tool.error().quota.remaining == 0);
  CHECK(tool.error().quota.reset_ms == 20'000);
  CHECK(tool.error().retry_after_ms == 10'000);
  CHECK(
      tool.error().text ==
      "Rate limit exceeded: tool 'delete_vm', all callers together, may make 0.1 calls a second (2 at once); "
      "wait 10.0 s (10000 ms), then repeat");
  REQUIRE(limiter.take("carol", "ops", "list_vms", 1));
  REQUIRE(limiter.take("carol", "ops", "list_vms", 1));
  const auto role = limiter.take("carol", "ops", "list_vms", 1);
  REQUIRE_FALSE(role);
  CHECK(role.error().rule == "limit role ops");
  CHECK(role.error().text.find("role 'ops', all its callers together,") != std::string::npos);
  CHECK(limiter.take("carol", "admin", "list_vms", 1));
  // Both are empty: the wait is that of the slower one.
  const auto both = limiter.take("carol", "ops", "delete_vm", 1);
  REQUIRE_FALSE(both);
  CHECK(both.error().rule == "limit tool delete_vm");
  CHECK(both.error().retry_after_ms == 10'000);
}

TEST_CASE("limiter: what a refused call would have cost stays in the other buckets") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1, 3};
  settings.tools["slow"] = {0.001, 1};
  Limiter limiter(settings, clock);
  REQUIRE(limiter.take("alice", "ops", "slow", 1));
  for (int i = 0; i < 50; ++i) REQUIRE_FALSE(limiter.take("alice", "ops", "slow", 1));
  CHECK(limiter.take("alice", "ops", "fast", 1));
  CHECK(limiter.take("alice", "ops", "fast", 1));
  CHECK_FALSE(limiter.take("alice", "ops", "fast", 1));
}

TEST_CASE("limiter: a site's own rates go before the general ones, and 0 lifts one") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1, 2};
  settings.identities["robot"] = {1, 5};
  settings.identities["boss"] = {0, 1};
  settings.tool = {1, 3};
  settings.tools["free"] = {0, 1};
  Limiter limiter(settings, clock);
  const auto passed = [&](const char* identity, const char* tool) {
    int n = 0;
    for (int i = 0; i < 20; ++i) n += limiter.take(identity, "ops", tool, 1).ok();
    return n;
  };
  CHECK(passed("alice", "free") == 2);
  CHECK(passed("robot", "free") == 5);
  CHECK(passed("boss", "free") == 20);
  CHECK(passed("boss", "list_vms") == 3);
  CHECK(passed("bob", "list_vms") == 0);
}

TEST_CASE("limiter: a tool's declared cost is multiplied by the site's") {
  ManualClock clock;
  Settings settings;
  settings.identity = {1, 20};
  settings.tool_costs["delete_vm"] = 5;
  Limiter limiter(settings, clock);
  REQUIRE(limiter.take("alice", "ops", "delete_vm", 2));
  REQUIRE(limiter.take("alice", "ops", "list_vms", 2));
  const auto refused = limiter.take("alice", "ops", "delete_vm", 2);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().quota.remaining == 8);
  CHECK(refused.error().text.find("this one counts as 10") != std::string::npos);
  CHECK(limiter.take("alice", "ops", "list_vms", 8));
}

TEST_CASE("limiter: objects and vCenters have buckets, each object counts once, and all give or none") {
  ManualClock clock;
  Settings settings;
  settings.target = {0.5, 2};
  settings.vcenters["vc1"] = {1, 4};
  Limiter limiter(settings, clock);
  using Ids = std::array<std::string_view, 3>;
  const Ids twice{"vm-1", "vm-1", "vm-2"};
  REQUIRE(limiter.take_targets("vc1", twice, "off", 1));
  REQUIRE(limiter.take_targets("vc1", std::array<std::string_view, 1>{"vm-1"}, "off", 1));
  const auto refused = limiter.take_targets("vc1", Ids{"vm-3", "vm-2", "vm-1"}, "off", 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().rule == "limit target vm-1");
  CHECK(refused.error().text.find("object 'vm-1', all callers together,") != std::string::npos);
  CHECK(refused.error().retry_after_ms == 2000);
  // vm-3 gave nothing, vm-2 still has one, and vm-1 of another vCenter is another object.
  CHECK(limiter.take_targets("vc1", std::array<std::string_view, 2>{"vm-3", "vm-2"}, "off", 1));
  CHECK(limiter.take_targets("vc2", std::array<std::string_view, 1>{"vm-1"}, "off", 1));
  CHECK(limiter.take_targets("vc1", std::array<std::string_view, 1>{"vm-3"}, "off", 1));
  const auto full = limiter.take_targets("vc1", {}, "list", 1);
  REQUIRE_FALSE(full);
  CHECK(full.error().rule == "limit vcenter vc1");
  CHECK(limiter.take_targets("vc2", {}, "list", 1));
}

TEST_CASE("limiter: without a rate for objects any number of them passes") {
  ManualClock clock;
  Limiter limiter(Settings{}, clock);
  const std::vector<std::string_view> many(1000, "vm-1");
  for (int i = 0; i < 100; ++i) CHECK(limiter.take_targets("vc", many, "t", 1));
}

TEST_CASE("limiter: in shadow mode nothing is refused but addresses, and it is told what would have been") {
  struct Lines final : Log {
    void write(LogLevel, std::string_view event, std::initializer_list<Field> fields) override {
      std::string line(event);
      for (const auto& [name, value] : fields) line += "|" + std::string(name) + "=" + std::string(value);
      all.push_back(line);
    }
    std::vector<std::string> all;
  } log;
  ManualClock clock;
  Settings settings;
  settings.shadow = true;
  settings.identity = {1, 2};
  settings.address = {1, 1};
  settings.vcenter = {1, 1};
  settings.identical_calls = 1;
  Limiter limiter(settings, clock, &log);
  for (int i = 0; i < 2; ++i) CHECK(limiter.take("alice", "ops", "t", 1).value().empty());
  for (int i = 0; i < 30; ++i) CHECK(limiter.take("alice", "ops", "t", 1).value() == "limit identity alice");
  CHECK(limiter.take_identical("alice", "t", "{}").value().empty());
  CHECK(limiter.take_identical("alice", "t", "{}").value() == "limit identical calls");
  CHECK(limiter.take_targets("vc", {}, "t", 1).value().empty());
  CHECK(limiter.take_targets("vc", {}, "t", 1).value() == "limit vcenter vc");
  CHECK(limiter.take_address("192.0.2.1"));
  CHECK_FALSE(limiter.take_address("192.0.2.1"));
  const auto refusals = limiter.refusals();
  CHECK(refusals[static_cast<std::size_t>(throttle::Kind::identity)] == 30);
  CHECK(refusals[static_cast<std::size_t>(throttle::Kind::vcenter)] == 1);
  CHECK(refusals[static_cast<std::size_t>(throttle::Kind::address)] == 1);
  CHECK(refusals[throttle::kIdentical] == 1);
  REQUIRE(log.all.size() == 1);
  CHECK(log.all[0].find("|rule=limit identity alice|") != std::string::npos);
  clock.advance(11s);
  CHECK(limiter.take("alice", "ops", "t", 1).value().empty());
  CHECK(limiter.take("alice", "ops", "t", 1).value().empty());
  CHECK_FALSE(limiter.take("alice", "ops", "t", 1).value().empty());
  REQUIRE(log.all.size() == 2);
  CHECK(log.all[1].find("|calls_since_last_line=32") != std::string::npos);
}
