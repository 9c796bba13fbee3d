// What an OAuth client is told, over HTTP.
#include <doctest/doctest.h>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kMetadata = "/.well-known/oauth-protected-resource";

std::string challenge_of(const Answer& answer) {
  const auto it = answer.headers.find("www-authenticate");
  return it == answer.headers.end() ? "" : it->second;
}

}  // namespace

TEST_CASE("authorization: metadata, the challenge of a 401 and the step up of a 403 lead to the same place") {
  ServerOptions options;
  options.environment = {{"AUTH_AUTHORIZATION_SERVERS", "https://login.example/realm"},
                         {"RATE_LIMIT", "false"}};
  ServerProcess server(options);
  const std::string here = "http://127.0.0.1:" + std::to_string(server.port());
  for (const std::string& path : {std::string(kMetadata), std::string(kMetadata) + "/mcp"}) {
    CAPTURE(path);
    const Answer metadata = send(server.port(), "GET", path, {}, "");
    REQUIRE(metadata.status == 200);
    CHECK(metadata.headers.at("access-control-allow-origin") == "*");
    CHECK(metadata.json()["resource"] == here + "/mcp");
    CHECK(metadata.json()["authorization_servers"] == Json::array({"https://login.example/realm"}));
    CHECK(metadata.json()["scopes_supported"] == Json::array({"read", "ops", "admin"}));
  }
  const std::string there = "resource_metadata=\"" + here + kMetadata + "/mcp\"";
  const Answer stranger = modern(server.port(), "wrong-token", "tools/list", Json::object());
  CHECK(stranger.status == 401);
  CHECK(challenge_of(stranger).find(there) != std::string::npos);
  CHECK(challenge_of(stranger).find("scope=\"read\"") != std::string::npos);
  CHECK(challenge_of(stranger).find("error=\"invalid_token\"") != std::string::npos);

  const Answer narrow = call_tool(server.port(), "demo-read", "power_on_vm", {{"vm_id", "vm-1"}});
  CHECK(narrow.status == 403);
  CHECK(challenge_of(narrow).find("error=\"insufficient_scope\", scope=\"ops\"") != std::string::npos);
  CHECK(challenge_of(narrow).find(there) != std::string::npos);
  CHECK(narrow.json()["error"]["message"].get<std::string>().find("roles that may: ops") !=
        std::string::npos);
  CHECK(wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("event", "") == "refused" && line.contains("tool") && line["tool"] == "power_on_vm")
            return true;
        return false;
      },
      10'000));
  CHECK(call_tool(server.port(), "demo-read", "list_vms", {{"limit", 1}}).status == 200);
}

TEST_CASE("authorization: without an authorization server there is no metadata and no step up") {
  ServerProcess server;
  CHECK(send(server.port(), "GET", kMetadata, {}, "").status == 404);
  const Answer narrow = call_tool(server.port(), "demo-read", "power_on_vm", {{"vm_id", "vm-1"}});
  CHECK(narrow.status == 200);
  CHECK(narrow.json()["result"]["isError"] == true);
  CHECK(challenge_of(narrow).empty());
}
