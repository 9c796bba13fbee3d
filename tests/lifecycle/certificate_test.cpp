// Clients of the real server that are known by the certificate of their connection.
#include <doctest/doctest.h>

#include <fstream>

#include "e2e/site.h"
#include "unit/http/tls_client.h"

using namespace vmcp;
using namespace vmcp::testing;
using http::test::tls_files;
using http::test::TlsClient;

namespace {

struct Reply {
  int status = 0;
  std::string body;
};

Reply list_tools(const ServerProcess& server, const std::string& certificate,
                 const std::string& bearer = {}) {
  TlsClient client(server.port(), {.certificate = certificate});
  REQUIRE(client.ready());
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})";
  REQUIRE(
      client.send("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: "
                  "application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-03-26\r\n" +
                  (bearer.empty() ? "" : "Authorization: Bearer " + bearer + "\r\n") +
                  "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  const auto answer = client.answer();
  REQUIRE(answer);
  return {answer->status, answer->body};
}

}  // namespace

TEST_CASE(
    "certificate: it is its caller's token, a token goes before it, and one that nobody named is nobody") {
  const Site site({"slow"});
  std::ofstream(site.config, std::ios::app)
      << "[server]\ntls_certificate = \"" << tls_files().path("server.pem") << "\"\ntls_key = \""
      << tls_files().path("server.key") << "\"\ntls_client_ca = \"" << tls_files().path("ca.pem") << "\"\n"
      << "[[auth.certificate]]\nname = \"agent-seven\"\nrole = \"read\"\nsubject = \"CN=agent-7,O=Example\"\n"
      << "[[auth.token]]\nname = \"boss\"\nrole = \"admin\"\ntoken = \"token-of-boss-000001\"\n"
      << "[[auth.token]]\nname = \"tied\"\nrole = \"admin\"\ntoken = \"token-of-tied-000001\"\n"
      << "certificate = \"spiffe://example/agent\"\n";
  ServerOptions options = site.options_without_vcenter();
  options.environment.erase("TOKENS_TO_ROLES");
  options.environment["SERVER_HOST"] = "127.0.0.1";
  ServerProcess server(options);

  const Reply agent = list_tools(server, "agent");
  CHECK(agent.status == 200);
  CHECK(agent.body.find("list_vms") != std::string::npos);
  CHECK(agent.body.find("power_off_vm") == std::string::npos);
  const Reply boss = list_tools(server, "agent", "token-of-boss-000001");
  CHECK(boss.status == 200);
  CHECK(boss.body.find("power_off_vm") != std::string::npos);
  CHECK(list_tools(server, "agent", "wrong").status == 401);
  const Reply stranger = list_tools(server, "spiffe");
  CHECK(stranger.status == 401);
  CHECK(stranger.body.find("is no caller's here") != std::string::npos);
  CHECK(list_tools(server, "spiffe", "token-of-tied-000001").status == 200);
  CHECK(list_tools(server, "agent", "token-of-tied-000001").status == 401);
}
