// Each refusal has its own clear words and its own audit line.
#include <doctest/doctest.h>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

// The newest audit line with that step, waited for: lines are written by a thread of their own.
Json line_with(const ServerProcess& server, const std::string& step, const std::string& tool = {}) {
  Json found;
  wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("step", "") == step && (tool.empty() || line.value("tool", "") == tool))
            found = line;
        return !found.is_null();
      },
      5000);
  return found;
}

std::string text_of(const Answer& a) {
  return a.json().value("result", Json::object()).value("content", Json::array()).at(0).value("text", "");
}

}  // namespace

TEST_CASE("refusals: no token, a wrong token, a token in the wrong place") {
  const ServerProcess server;
  const Answer none = call_tool(server.port(), "", "list_vms", Json::object());
  CHECK(none.status == 401);
  CHECK(none.headers.at("www-authenticate").starts_with("Bearer"));
  // The fix reaches the caller: no mask has taken it for a credential.
  CHECK(none.json()["error"].value("message", "").find("Authorization with 'Bearer <token>'") !=
        std::string::npos);
  const Answer wrong = call_tool(server.port(), "not-the-token", "list_vms", Json::object());
  CHECK(wrong.status == 401);
  CHECK(wrong.headers.at("www-authenticate").find("invalid_token") != std::string::npos);
  CHECK(wrong.json()["error"].value("message", "").find("[secret]") == std::string::npos);
  const Json line = line_with(server, "authenticate");
  CHECK(line.value("event", "") == "refused");
  CHECK(line.value("ok", true) == false);
  const Answer argument = call_tool(server.port(), "demo-admin", "list_vms", {{"token", "demo-admin"}});
  CHECK(argument.status == 200);
  CHECK(text_of(argument).find("Authorization") != std::string::npos);
  CHECK(send(server.port(), "POST", "/mcp?token=demo-admin", {{"Content-Type", "application/json"}}, "{}")
            .status == 401);
}

TEST_CASE("refusals: a role neither sees nor runs what it may not") {
  ServerOptions options;
  options.environment["RATE_LIMIT"] = "false";
  const ServerProcess server(options);
  const auto names = [&](const std::string& token) {
    std::vector<std::string> out;
    const Json result =
        modern(server.port(), token, "tools/list", Json::object()).json().value("result", Json::object());
    for (const Json& tool : result.value("tools", Json::array())) out.push_back(tool.value("name", ""));
    return out;
  };
  CHECK(names("demo-read").size() == 9);
  CHECK(names("demo-ops").size() == 13);
  CHECK(names("demo-admin").size() == 16);
  for (const std::string& name : names("demo-admin")) {
    const auto seen = names("demo-read");
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    CAPTURE(name);
    const Answer a = call_tool(server.port(), "demo-read", name, {{"vm_id", "vm-1"}});
    CHECK(a.status == 200);
    CHECK(a.json()["result"].value("isError", false));
    CHECK(text_of(a).find("demo-read") == std::string::npos);  // the token is no name
    CHECK(text_of(a).find("read") != std::string::npos);
    CHECK(text_of(a).find(name) != std::string::npos);
    const Json line = line_with(server, "authorise", name);
    CHECK(line.value("event", "") == "refused");
    CHECK_FALSE(line.value("rule", "").empty());
  }
  const Json requests = send(server.simulator_port(), "GET", "/simulator/requests", {}, "").json();
  CHECK(requests.value("changing", -1) == 0);
}

TEST_CASE("refusals: flooding is stopped with the wait stated") {
  const ServerProcess server;
  Json refused;
  for (int i = 0; i < 60 && refused.is_null(); ++i) {
    const Answer a = call_tool(server.port(), "demo-read", "no_such_tool", Json::object());
    const Json body = a.json();
    if (body.contains("result") && body["result"].value("isError", false)) refused = body["result"];
  }
  REQUIRE_FALSE(refused.is_null());
  CHECK(refused["content"][0].value("text", "").find("Rate limit exceeded") != std::string::npos);
  CHECK(line_with(server, "throttle").value("code", "") == "throttled");
  // another identity is not touched
  CHECK_FALSE(call_tool(server.port(), "demo-ops", "list_datacenters", Json::object())
                  .json()["result"]
                  .value("isError", false));
}

TEST_CASE("refusals: unknown host, bad arguments, unknown and ambiguous objects") {
  ServerOptions options;
  options.environment["RATE_LIMIT"] = "false";
  const ServerProcess server(options);
  const auto text = [&](const std::string& tool, const Json& arguments) {
    const Answer a = call_tool(server.port(), "demo-admin", tool, arguments);
    CHECK_MESSAGE(a.json().value("result", Json::object()).value("isError", false), a.body);
    return text_of(a);
  };
  CHECK(text("list_vms", {{"hostname", "other.example"}}).find("'other.example' not in allowed set") !=
        std::string::npos);
  CHECK(text("get_vm_details", Json::object()).find("vm_id") != std::string::npos);
  CHECK(text("get_vm_details", {{"vm_id", 7}}).find("vm_id") != std::string::npos);
  CHECK(text("get_vm_details", {{"vm_idd", "vm-1"}}).find("vm_id") != std::string::npos);
  CHECK(text("get_vm_details", {{"vm_id", "no-such-vm-anywhere"}}).find("no-such-vm-anywhere") !=
        std::string::npos);
  CHECK(line_with(server, "resolve").value("event", "") == "refused");
}

TEST_CASE("refusals: Origin alone, Host alone, unknown path, wrong method") {
  const ServerProcess server;
  const std::string own = "127.0.0.1:" + std::to_string(server.port());
  const auto status = [&](const std::string& origin, const std::string& host) {
    std::vector<std::pair<std::string, std::string>> headers = {{"Content-Type", "application/json"},
                                                                {"Authorization", "Bearer demo-read"}};
    if (!origin.empty()) headers.emplace_back("Origin", origin);
    if (!host.empty()) headers.emplace_back("Host", host);
    return send(
               server.port(), "POST", "/mcp", headers,
               R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})")
        .status;
  };
  CHECK(status("", own) == 200);
  CHECK(status("http://" + own, own) == 200);
  CHECK(status("http://evil.example", own) == 403);
  CHECK(status("http://127.0.0.1.evil.example", own) == 403);
  CHECK(status("null", own) == 403);
  CHECK(status("", "evil.example") == 403);
  CHECK(status("", "evil.example:" + std::to_string(server.port())) == 403);
  CHECK(line_with(server, "transport").value("event", "") == "refused");
  CHECK(send(server.port(), "GET", "/nowhere", {}, "").status == 404);
  CHECK(send(server.port(), "GET", "/healthz", {}, "").status == 200);
  CHECK(send(server.port(), "GET", "/readyz", {}, "").status == 200);
  CHECK(send(server.port(), "GET", "/mcp", {{"Authorization", "Bearer demo-read"}}, "").status == 405);
}

TEST_CASE("refusals: the list says which tools need confirm, and exactly those refuse without it") {
  ServerOptions options;
  options.environment["RATE_LIMIT"] = "false";
  const ServerProcess server(options);
  const Json tools =
      modern(server.port(), "demo-admin", "tools/list", Json::object()).json()["result"]["tools"];
  std::string needing;
  for (const Json& tool : tools) {
    const Json properties = tool["inputSchema"]["properties"];
    if (!properties.contains("confirm")) continue;
    const std::string words = properties["confirm"].value("description", "");
    const bool needs = words.find("Without it this tool refuses") != std::string::npos;
    CHECK(needs != (words.find("Not needed") != std::string::npos));
    if (needs) needing += tool.value("name", "") + " ";
  }
  CHECK(needing == "delete_vm delete_vm_snapshot modify_vm_resources ");

  const Json list =
      call_tool(server.port(), "demo-read", "list_vms", {{"power_states", {"POWERED_OFF"}}}).json();
  const std::string vm = list["result"]["structuredContent"]["vms"][0].value("vm", "");
  for (const std::string tool : {"power_off_vm", "delete_vm", "modify_vm_resources"}) {
    CAPTURE(tool);
    Json arguments = {{"vm_id", vm}};
    if (tool == "modify_vm_resources") arguments["cpu_count"] = 2;
    const Answer a = call_tool(server.port(), "demo-admin", tool, arguments);
    const bool asked = a.body.find("needs confirm=true") != std::string::npos;
    CHECK_MESSAGE(asked == (needing.find(tool) != std::string::npos), a.body);
  }
}

TEST_CASE("refusals: a body as large as configured is read whole, a larger one is not taken") {
  constexpr std::size_t kLimit = 2u << 20;
  ServerOptions options;
  options.environment["VMCP__SERVER__MAX_BODY_BYTES"] = std::to_string(kLimit);
  const ServerProcess server(options);
  const auto padded = [&](std::size_t size) {
    std::string body = R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"note":""}}})";
    body.insert(body.size() - 4, std::string(size - body.size(), 'x'));
    return send(server.port(), "POST", "/mcp",
                {{"Content-Type", "application/json"},
                 {"MCP-Protocol-Version", "2025-11-25"},
                 {"Authorization", "Bearer demo-read"}},
                body);
  };
  const Answer whole = padded(kLimit);
  CHECK_MESSAGE(whole.status == 200, whole.body);
  CHECK(whole.json().contains("result"));
  CHECK(padded(kLimit + 1).status == 413);
}
