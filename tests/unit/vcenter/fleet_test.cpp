#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

Result<std::unique_ptr<vcenter::Fleet>> fleet_of(std::vector<std::string> hosts, bool plain = false) {
  static SilentLog log;
  vcenter::Settings settings;
  settings.hosts = std::move(hosts);
  settings.plain_http = plain;
  return vcenter::make_fleet(settings, log);
}

}  // namespace

TEST_CASE("hosts are found as people write them, the first by default") {
  const auto fleet =
      fleet_of({"VC1.example", "vc2.example:8443", "192.0.2.7", "[2001:db8::7]", "vc1.example:443"});
  REQUIRE(fleet.ok());
  CHECK((*fleet)->names() ==
        std::vector<std::string>{"VC1.example", "vc2.example:8443", "192.0.2.7", "[2001:db8::7]"});
  for (const auto& [asked, found] : {std::pair{"", "VC1.example"},
                                     {"  ", "VC1.example"},
                                     {"vc1.EXAMPLE", "VC1.example"},
                                     {"vc1.example:443", "VC1.example"},
                                     {"VC2.example:8443", "vc2.example:8443"},
                                     {"2001:DB8:0::7", "[2001:db8::7]"},
                                     {"192.0.2.7:443", "192.0.2.7"}}) {
    CAPTURE(asked);
    const auto connection = (*fleet)->find(asked);
    REQUIRE(connection.ok());
    CHECK((*connection)->name() == found);
  }
}

TEST_CASE("a host that is not allowed is refused in the known words, with the allowed ones") {
  const auto fleet = fleet_of({"vc1.example", "vc2.example:8443"});
  REQUIRE(fleet.ok());
  for (const char* asked : {"evil.example", "vc2.example", "vc1.example:8443", "vc1.example.evil.example"}) {
    CAPTURE(asked);
    const auto connection = (*fleet)->find(asked);
    REQUIRE_FALSE(connection.ok());
    CHECK(connection.error().code == Code::invalid_argument);
    CHECK(contains(connection.error().text, "Hostname '" + std::string(asked) + "' not in allowed set"));
    CHECK(contains(connection.error().text, "vc1.example, vc2.example:8443"));
    CHECK(contains(connection.error().text, "ALLOWED_VCENTER_HOSTS"));
  }
  const auto nasty = (*fleet)->find("a\r\nb" + std::string(5000, 'x'));
  REQUIRE_FALSE(nasty.ok());
  CHECK(nasty.error().text.find('\n') == std::string::npos);
  CHECK(nasty.error().text.size() < 500);
}

TEST_CASE("settings that cannot work stop the start with the fix") {
  CHECK(contains(fleet_of({}).error().text, "VCENTER_HOST"));
  CHECK(contains(fleet_of({"https://vc.example"}).error().text, "without https://"));
  CHECK(contains(fleet_of({"vc.example"}, true).error().text, "loopback only"));
  CHECK(contains(fleet_of({"127.0.0.1:8", "192.0.2.7"}, true).error().text, "192.0.2.7"));
  CHECK(fleet_of({"127.0.0.1:8", "localhost:9", "[::1]:9"}, true).ok());
}

TEST_CASE("several vCenters have sessions of their own") {
  FakeVcenter one, two;
  one.on("GET", "/api/vcenter/vm", {{200, R"(["one"])"}});
  two.on("GET", "/api/vcenter/vm", {{200, R"(["two"])"}});
  auto settings = settings_for(one);
  settings.hosts = {one.address(), two.address()};
  Client client(settings);
  const auto second = client.fleet->find(two.address());
  REQUIRE(second.ok());
  CHECK(client.get("/api/vcenter/vm").body == R"(["one"])");
  CHECK((*second)->automation({"GET", "/api/vcenter/vm", {}}, within(20s)).body == R"(["two"])");
  CHECK(one.logins() == 1);
  CHECK(two.logins() == 1);
  client.fleet->close();
  CHECK(one.logouts() == 1);
  CHECK(two.logouts() == 1);
}

TEST_CASE("an IPv6 address works as a vCenter's") {
  std::unique_ptr<FakeVcenter> fake;
  try {
    FakeVcenter::Options options;
    options.host = "::1";
    fake = std::make_unique<FakeVcenter>(options);
  } catch (const std::exception&) {
    MESSAGE("this machine has no IPv6 loopback");
    return;
  }
  fake->on("GET", "/api/vcenter/vm", {{200, "[]"}});
  Client client(settings_for(*fake));
  CHECK(client.get("/api/vcenter/vm").ok());
}
