// What an OAuth client is told, over HTTP.
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <doctest/doctest.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "support/server_process.h"
#include "unit/auth/signing.h"

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

namespace {

// An authorization server on this machine: metadata, keys, and tokens that it signs.
class AuthorizationServer {
 public:
  AuthorizationServer()
      : key_("EdDSA", "k1"),
        server_(new Factory(*this), Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)),
                new Poco::Net::HTTPServerParams) {
    issuer_ = "http://127.0.0.1:" + std::to_string(server_.port());
    server_.start();
  }
  ~AuthorizationServer() { server_.stopAll(true); }
  const std::string& issuer() const { return issuer_; }
  std::string token(const std::string& scope, const std::string& audience, const Json& more = {}) const {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    Json claims{{"iss", issuer_}, {"aud", audience}, {"sub", "agent"}, {"scope", scope}, {"exp", now + 300}};
    if (more.is_object()) claims.update(more);
    return key_.token(claims);
  }

 private:
  struct Handler : Poco::Net::HTTPRequestHandler {
    explicit Handler(const AuthorizationServer& o) : owner(o) {}
    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override {
      Json body;
      if (request.getURI() == "/.well-known/oauth-authorization-server")
        body = {{"issuer", owner.issuer_}, {"jwks_uri", owner.issuer_ + "/keys"}};
      else if (request.getURI() == "/keys")
        body = {{"keys", {owner.key_.jwk()}}};
      else
        response.setStatus(Poco::Net::HTTPResponse::HTTP_NOT_FOUND);
      response.send() << dump_json(body);
    }
    const AuthorizationServer& owner;
  };
  struct Factory : Poco::Net::HTTPRequestHandlerFactory {
    explicit Factory(const AuthorizationServer& o) : owner(o) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
      return new Handler(owner);
    }
    const AuthorizationServer& owner;
  };
  const test::SigningKey key_;
  std::string issuer_;
  Poco::Net::HTTPServer server_;
};

// A configuration that trusts one fixture.
struct TrustingFile {
  TrustingFile() {
    path = (std::filesystem::temp_directory_path() / "vmcp-trust-XXXXXX").string();
    const int file = ::mkstemp(path.data());
    REQUIRE(file >= 0);
    ::close(file);
    std::ofstream(path) << "[auth.claim_roles]\n\"VM Admins\" = \"all\"\n[[plugin]]\nid = "
                           "\"org.vmcp.fixture.everything\"\nisolation = \"inprocess\"\n";
  }
  ~TrustingFile() { std::filesystem::remove(path); }
  std::string path;
};

Answer call_fixture(const ServerProcess& server, const std::string& token, const char* tool) {
  return call_tool(server.port(), token, tool, Json::object());
}

}  // namespace

TEST_CASE(
    "authorization: tokens that the authorization server signed are let in with the role of their scope") {
  const AuthorizationServer login;
  const std::string audience = "https://mcp.example/mcp";
  ServerOptions options;
  options.record = false;
  const TrustingFile config;
  options.arguments = {"serve", "--listen", "127.0.0.1:0", "--config", config.path};
  options.environment = {{"PLUGIN_DIR", VMCP_FIXTURES},
                         {"PLUGIN_TRUST", "dev"},
                         {"PLUGINS", "org.vmcp.fixture.everything"},
                         {"ROLES_TO_TOOLS", R"({"look":["test_simple_text"],"all":["*"]})"},
                         {"VCENTER_HOST", "vcenter.invalid"},
                         {"VCENTER_USER", "nobody"},
                         {"VCENTER_PASSWORD", "none"},
                         {"AUTH_AUTHORIZATION_SERVERS", login.issuer()},
                         {"PUBLIC_URL", "https://mcp.example"}};
  ServerProcess server(options);
  CHECK(send(server.port(), "GET", kMetadata, {}, "").json()["resource"] == audience);
  const std::string look = login.token("look", audience);
  CHECK(call_fixture(server, look, "test_simple_text").status == 200);
  const Answer narrow = call_fixture(server, look, "test_image_content");
  CHECK(narrow.status == 403);
  CHECK(challenge_of(narrow).find("scope=\"all\"") != std::string::npos);
  CHECK(call_fixture(server, login.token("look all", audience), "test_image_content").status == 200);
  CHECK(call_fixture(server, login.token("", audience), "test_simple_text").status == 403);
  CHECK(call_fixture(server, login.token("", audience, {{"roles", {"VM Admins"}}}), "test_image_content")
            .status == 200);
  CHECK(call_fixture(server, login.token("", audience, {{"roles", {"all"}}}), "test_image_content").status ==
        403);
  CHECK(call_fixture(server, login.token("all", "https://other.example/mcp"), "test_simple_text").status ==
        401);
  CHECK(call_fixture(server, look + "x", "test_simple_text").status == 401);
  const std::string identity = "oauth:agent@" + login.issuer().substr(7);
  CHECK(wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("event", "") == "outcome" && line.value("identity", "") == identity) return true;
        return false;
      },
      10'000));
}
