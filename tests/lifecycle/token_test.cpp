// Tokens that come and go while the real server runs.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>

#include "e2e/site.h"
#include "support/command_output.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

struct Tokens {
  Site site{{"slow"}};
  std::string base;
  Tokens() {
    std::ifstream in(site.config);
    base.assign(std::istreambuf_iterator<char>(in), {});
  }
  void write(const std::string& tokens) const {
    std::ofstream(site.config, std::ios::trunc) << base << tokens;
  }
  ServerOptions options() const {
    ServerOptions o = site.options_without_vcenter();
    o.environment.erase("TOKENS_TO_ROLES");
    o.environment["VMCP_SLOW_BEGUN"] = begun();
    return o;
  }
  std::string begun() const { return site.folder + "/begun"; }
};

std::string entry(const std::string& name, const std::string& token, const std::string& more = {}) {
  return "[[auth.token]]\nname = \"" + name + "\"\nrole = \"admin\"\ntoken = \"" + token + "\"\n" + more;
}

Answer slow(const ServerProcess& server, const std::string& token, int ms = 1) {
  return call_tool(server.port(), token, "slow", {{"ms", ms}});
}

}  // namespace

TEST_CASE("tokens: one that has expired is refused in words, and the audit has its name") {
  Tokens site;
  site.write(entry("old-ci", "token-of-old-ci-00001", "expires = 2026-01-01\n") +
             entry("future", "token-of-future-0001", "not_before = 2199-01-01\n") +
             entry("ci", "token-of-ci-000000001", "expires = 2199-01-01\n"));
  ServerProcess server(site.options());
  const Answer late = slow(server, "token-of-old-ci-00001");
  CHECK(late.status == 401);
  CHECK(late.body.find("has expired") != std::string::npos);
  CHECK(slow(server, "token-of-future-0001").status == 401);
  CHECK(slow(server, "token-of-ci-000000001").status == 200);
  CHECK(server.log().find("(old-ci) has expired") != std::string::npos);
  REQUIRE(wait_until([&] { return server.audit_text().find("'old-ci' has expired") != std::string::npos; },
                     5'000));
  const auto [code, text] =
      output_of("SERVER_HOST=127.0.0.1 VCENTER_HOST=v VCENTER_USER=u VCENTER_PASSWORD=p " +
                std::string(VMCP_PROGRAM) + " check-config --config " + site.site.config);
  CHECK(code == 0);
  CHECK(text.find("warning: auth.token: entry 1 (old-ci) has expired") != std::string::npos);
}

TEST_CASE("tokens: a reload rotates them without a gap and without a restart, and calls that run go on") {
  Tokens site;
  site.write(entry("agent", "token-number-one-001"));
  ServerProcess server(site.options());
  REQUIRE(slow(server, "token-number-one-001").status == 200);
  CHECK(slow(server, "token-number-two-001").status == 401);
  std::filesystem::remove(site.begun());
  auto runs = std::async(std::launch::async, [&] { return slow(server, "token-number-one-001", 3'000); });
  REQUIRE(wait_until([&] { return std::filesystem::exists(site.begun()); }, 20'000));

  site.write(entry("agent", "token-number-one-001") + entry("agent", "token-number-two-001"));
  REQUIRE(::kill(server.pid(), SIGHUP) == 0);
  REQUIRE(wait_until([&] { return slow(server, "token-number-two-001").status == 200; }, 20'000));
  CHECK(slow(server, "token-number-one-001").status == 200);

  site.write(entry("agent", "token-number-two-001"));
  REQUIRE(::kill(server.pid(), SIGHUP) == 0);
  REQUIRE(wait_until([&] { return slow(server, "token-number-one-001").status == 401; }, 20'000));
  CHECK(slow(server, "token-number-two-001").status == 200);
  CHECK_FALSE(runs.get().json()["result"].value("isError", false));

  // What has errors changes nothing.
  site.write(entry("agent", "token-number-two-001") + entry("agent", "x y"));
  REQUIRE(::kill(server.pid(), SIGHUP) == 0);
  REQUIRE(wait_until([&] { return server.log().find("reload refused") != std::string::npos; }, 20'000));
  CHECK(slow(server, "token-number-two-001").status == 200);
}
