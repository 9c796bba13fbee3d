// How an OAuth client learns where to get a token, and which.
#include "mcp/authorization.h"

#include <doctest/doctest.h>

#include "unit/mcp/fakes.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

Settings with_oauth() {
  Settings settings = Rig::settings();
  settings.authorization_servers = {"https://login.example/realm"};
  settings.scopes = {"read", "ops", "admin"};
  return settings;
}

// A pipeline that refuses because of the caller's role.
void deny(Rig& rig, std::string scope, bool feature = false) {
  rig.pipeline.on_call = [scope = std::move(scope), feature](FakePipeline::Call& call) {
    pipeline::ToolAnswer answer;
    Error error = make_error(Code::denied, "role 'read' may not call 'echo'");
    error.scope = scope;
    if (feature) {
      answer.protocol = error;
    } else {
      answer.is_error = true;
      answer.code = Code::denied;
      answer.scope = scope;
      answer.texts.push_back(error.text);
    }
    call.done(std::move(answer));
  };
}

const Answer& call(Rig& rig, bool modern = true) {
  return modern
             ? rig.send(modern_body("tools/call", {{"name", "echo"}}).dump(),
                        {{"Host", "mcp.local:8000"},
                         {"MCP-Protocol-Version", kModern},
                         {"Mcp-Method", "tools/call"},
                         {"Mcp-Name", "echo"}})
             : rig.send(legacy_body("tools/call", {{"name", "echo"}}).dump(), {{"Host", "mcp.local:8000"}});
}

}  // namespace

TEST_CASE("authorization: the metadata names this resource as the client knows it, and every role") {
  Settings settings = with_oauth();
  const Json metadata = Json::parse(protected_resource_json(settings, "mcp.local:8000"));
  CHECK(metadata["resource"] == "http://mcp.local:8000/mcp");
  CHECK(metadata["authorization_servers"] == Json::array({"https://login.example/realm"}));
  CHECK(metadata["scopes_supported"] == Json::array({"read", "ops", "admin"}));
  CHECK(metadata["bearer_methods_supported"] == Json::array({"header"}));
  settings.tls = true;
  CHECK(Json::parse(protected_resource_json(settings, "mcp.local"))["resource"] == "https://mcp.local/mcp");
  settings.public_url = "https://mcp.example";
  settings.path = "/tools";
  CHECK(Json::parse(protected_resource_json(settings, "inner:1"))["resource"] == "https://mcp.example/tools");
  CHECK(protected_resource_json(Rig::settings(), "mcp.local").empty());
}

TEST_CASE("authorization: a call that a wider role may make is a 403 that names the scope") {
  for (const bool modern : {true, false}) {
    CAPTURE(modern);
    Rig rig(with_oauth());
    deny(rig, "ops");
    const Answer& answer = call(rig, modern);
    CHECK(answer.status == 403);
    CHECK(header_of(answer, "WWW-Authenticate") ==
          "Bearer realm=\"vsphere-mcp-pro\", error=\"insufficient_scope\", scope=\"ops\", resource_metadata="
          "\"http://mcp.local:8000/.well-known/oauth-protected-resource/mcp\"");
    const Json body = Json::parse(answer.body);
    CHECK(body["id"] == 1);
    CHECK(body["error"]["message"] == "role 'read' may not call 'echo'");
  }
}

TEST_CASE("authorization: without a wider role, or an authorization server, a refusal stays a result") {
  Rig nobody(with_oauth());
  deny(nobody, "");
  CHECK(call(nobody).status == 200);
  CHECK(Json::parse(nobody.inbound->answers[0].body)["result"]["isError"] == true);
  Rig plain;
  deny(plain, "ops");
  CHECK(call(plain).status == 200);
  CHECK(header_of(plain.inbound->answers[0], "WWW-Authenticate") == "(absent)");
}

TEST_CASE("authorization: resources and prompts name the scope too") {
  Rig rig(with_oauth());
  deny(rig, "ops", true);
  const Answer& answer =
      rig.send(modern_body("prompts/get", {{"name", "p"}}).dump(), {{"Host", "mcp.local:8000"},
                                                                    {"MCP-Protocol-Version", kModern},
                                                                    {"Mcp-Method", "prompts/get"},
                                                                    {"Mcp-Name", "p"}});
  CHECK(answer.status == 403);
  CHECK(header_of(answer, "WWW-Authenticate").find("scope=\"ops\"") != std::string::npos);
  Rig nobody(with_oauth());
  deny(nobody, "", true);
  Headers headers = modern_headers("prompts/get", "p");
  headers.emplace_back("Host", "mcp.local:8000");
  nobody.send(modern_body("prompts/get", {{"name", "p"}}).dump(), headers);
  CHECK(header_of(nobody.inbound->answers[0], "WWW-Authenticate") == "(absent)");
}

TEST_CASE("authorization: a quote in a name cannot end a parameter of the challenge") {
  Settings settings = with_oauth();
  settings.server_name = "a\"b\\c\r\nd";
  CHECK(unauthenticated_challenge(settings, "h", false).starts_with(R"(Bearer realm="a\"b\\cd", )"));
}
