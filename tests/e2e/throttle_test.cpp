// Limits as an operator writes them and a client meets them, and what a vCenter that has too much to do does
// to the calls for it.
#include <doctest/doctest.h>

#include <fstream>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kRefusal = "io.github.vsphere-mcp-pro/refusal";

Json tool_result(const Answer& a) {
  return a.json().value("result", Json::object());
}

bool succeeded(const Answer& a) {
  const Json result = tool_result(a);
  return result.contains("structuredContent") && !result.value("isError", false);
}

Json refusal_of(const Answer& a) {
  CHECK(a.status == 200);
  const Json result = tool_result(a);
  CHECK(result.value("isError", false));
  return result.value("_meta", Json::object()).value(kRefusal, Json::object());
}

// The tables of a file as variables.
ServerOptions site_with(std::map<std::string, std::string> more) {
  ServerOptions options;
  options.environment = {{"RATE_LIMIT_RPS", "1000"}, {"RATE_LIMIT_BURST", "1000"}};
  for (auto& [name, value] : more) options.environment["VMCP__LIMITS__" + name] = value;
  return options;
}

bool logged(const ServerProcess& server, const std::string& part) {
  return wait_until([&] { return server.log().find(part) != std::string::npos; }, 5000);
}

}  // namespace

TEST_CASE("throttle: a tool's own limit reaches the client with all that a program needs") {
  const ServerProcess server(site_with({{"TOOL", R"({"list_hosts":{"rps":0.01,"burst":2,"cost":2}})"}}));
  CHECK(succeeded(call_tool(server.port(), "demo-read", "list_hosts", Json::object())));
  const Answer refused = call_tool(server.port(), "demo-ops", "list_hosts", Json::object());
  const Json meta = refusal_of(refused);
  CHECK(meta.value("code", "") == "throttled");
  CHECK(meta.value("rule", "") == "limit tool list_hosts");
  CHECK(meta.value("limit", 0) == 2);
  CHECK(meta.value("remaining", -1) == 0);
  CHECK(meta.value("retryAfterMs", 0) > 150'000);
  CHECK(meta.value("resetMs", 0) >= meta.value("retryAfterMs", 0));
  CHECK(succeeded(call_tool(server.port(), "demo-ops", "list_vms", Json::object())));
}

TEST_CASE("throttle: other methods than calls get 429, Retry-After and the numbers") {
  const ServerProcess server(site_with({{"IDENTITY", R"({"demo-read":{"rps":0.01,"burst":1}})"}}));
  CHECK(modern(server.port(), "demo-read", "tools/list", Json::object()).status == 200);
  const Answer refused = modern(server.port(), "demo-read", "tools/list", Json::object());
  CHECK(refused.status == 429);
  CHECK(std::stoi(refused.headers.at("retry-after")) > 90);
  const Json data = refused.json()["error"]["data"];
  CHECK(data.value("rule", "") == "limit identity demo-read");
  CHECK(data.value("limit", 0) == 1);
  CHECK(data.value("remaining", -1) == 0);
  CHECK(data.value("reset_ms", 0) > 90'000);
  CHECK(modern(server.port(), "demo-ops", "tools/list", Json::object()).status == 200);
}

TEST_CASE("throttle: an agent in a loop is slowed after thirty calls, by default") {
  const ServerProcess server(site_with({}));
  const Json arguments = {{"limit", 1}};
  Json meta;
  int passed = 0;
  for (int i = 0; i < 40 && meta.is_null(); ++i) {
    const Answer a = call_tool(server.port(), "demo-read", "list_vms", arguments);
    if (tool_result(a).contains("_meta") && tool_result(a)["_meta"].contains(kRefusal))
      meta = refusal_of(a);
    else
      ++passed;
  }
  CHECK(passed == 30);
  CHECK(meta.value("rule", "") == "limit identical calls");
  CHECK(succeeded(call_tool(server.port(), "demo-read", "list_vms", {{"limit", 2}})));
}

TEST_CASE("throttle: shadow mode refuses nothing, and log and audit say what it would have") {
  const ServerProcess server(site_with(
      {{"SHADOW", "true"}, {"TOOL", R"({"list_hosts":{"rps":0.01,"burst":1},"list_hots":{"rps":1}})"}}));
  for (int i = 0; i < 3; ++i)
    CHECK(succeeded(call_tool(server.port(), "demo-read", "list_hosts", Json::object())));
  CHECK(logged(server, "limits.shadow: a call would have been refused"));
  CHECK(logged(server, "tool=list_hots"));
  const auto shadowed = [&] {
    int n = 0;
    for (const Json& line : server.audit())
      n += line.value("rule", "") == "shadow: limit tool list_hosts" && line.value("ok", false);
    return n;
  };
  CHECK(wait_until([&] { return shadowed() == 2; }, 5000));
}

TEST_CASE("throttle: a vCenter that answers 429 loses places, is left alone, and the call still succeeds") {
  ServerOptions options = site_with({{"VCENTER_PARALLEL", "16"}});
  options.record = false;  // the official documents know no 429
  const ServerProcess server(options);
  CHECK(succeeded(call_tool(server.port(), "demo-read", "list_hosts", Json::object())));
  const Json fault = {{"path", "*"}, {"status", 429}, {"headers", {{"Retry-After", "2"}}}};
  REQUIRE(send(server.simulator_port(), "POST", "/simulator/fault", {}, fault.dump()).status == 200);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(succeeded(call_tool(server.port(), "demo-read", "list_vms", Json::object())));
  CHECK(std::chrono::steady_clock::now() - begun >= std::chrono::seconds(2));
  CHECK(logged(server, "has too much to do"));
  CHECK(server.log().find("calls=8") != std::string::npos);
  CHECK(server.log().find("rest_ms=2000") != std::string::npos);
}

TEST_CASE("throttle: while a vCenter rests, nobody new begins, and who cannot wait is told how long") {
  ServerOptions options = site_with({});
  options.environment["TOOL_DEADLINE_S"] = "5";
  options.environment["VCENTER_RETRIES"] = "0";
  options.record = false;
  const ServerProcess server(options);
  const Json fault = {{"path", "*"}, {"count", 100}, {"status", 503}, {"headers", {{"Retry-After", "30"}}}};
  REQUIRE(send(server.simulator_port(), "POST", "/simulator/fault", {}, fault.dump()).status == 200);
  CHECK(
      tool_result(call_tool(server.port(), "demo-read", "list_vms", Json::object())).value("isError", false));
  REQUIRE(logged(server, "has too much to do"));
  const Json before = send(server.simulator_port(), "GET", "/simulator/requests", {}, "").json();
  const Json meta = refusal_of(call_tool(server.port(), "demo-ops", "list_hosts", Json::object()));
  CHECK(meta.value("rule", "") == "vcenter overload");
  CHECK(meta.value("retryAfterMs", 0) > 20'000);
  CHECK(send(server.simulator_port(), "GET", "/simulator/requests", {}, "").json() == before);
}
