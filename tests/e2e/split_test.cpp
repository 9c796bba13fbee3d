// However a request is cut on its way, its answer is the same.
#include <doctest/doctest.h>

#include <memory>
#include <regex>

#include "e2e/site.h"
#include "e2e/wire.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr std::size_t kAtOnce = 100;  // connections

// The answer as text, without what differs from call to call. Of a session's id the header's name stays.
std::string read_answer(RawClient& client) {
  auto head = client.head();
  if (!head) return "no answer";
  std::string body;
  if (is_stream(*head)) {
    body = client.chunked_body().value_or("a stream that was cut");
  } else {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t at = head->head.find(kLength);
    const std::size_t length =
        at == std::string::npos ? 0 : std::stoul(head->head.substr(at + kLength.size()));
    body = client.bytes(length).value_or("a body that was cut");
  }
  static const std::regex own(
      "X-Request-Id: [^\r]*\r\n|\"requestId\":\"[^\"]*\"|Date: [^\r]*\r\n|(Mcp-Session-Id: )[0-9a-f]+");
  return std::regex_replace(head->head, own, "$1") + body;
}

std::string whole_answer(std::uint16_t port, const std::string& request) {
  RawClient client(port);
  client.send(request);
  return read_answer(client);
}

// A round trip on another connection: what arrived before has been seen by then.
void let_it_read(std::uint16_t port) {
  CHECK(send(port, "GET", "/healthz", {}, "").status == 200);
}

void check_every_cut(std::uint16_t port, const std::string& request, std::string_view expected_part) {
  const std::string whole = whole_answer(port, request);
  REQUIRE_MESSAGE(whole.find(expected_part) != std::string::npos, whole);
  for (std::size_t from = 1; from < request.size(); from += kAtOnce) {
    const std::size_t to = std::min(request.size(), from + kAtOnce);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t cut = from; cut < to; ++cut) {
      clients.push_back(std::make_unique<RawClient>(port));
      clients.back()->send(request.substr(0, cut));
    }
    let_it_read(port);
    for (std::size_t cut = from; cut < to; ++cut) clients[cut - from]->send(request.substr(cut));
    for (std::size_t cut = from; cut < to; ++cut) {
      CAPTURE(cut);
      CHECK(read_answer(*clients[cut - from]) == whole);
    }
  }
  RawClient bytewise(port);
  for (const char byte : request) bytewise.send({&byte, 1});
  CHECK(read_answer(bytewise) == whole);
}

}  // namespace

TEST_CASE("split: every kind of request, cut at every byte, is answered as the whole one is") {
  const Site site({"echo", "everything"});
  const ServerProcess server(site.options_without_vcenter());
  const std::uint16_t port = server.port();
  SUBCASE("a modern call") {
    check_every_cut(port, modern_call(port, kAda, {{"name", "echo"}, {"arguments", {{"message", "häi"}}}}),
                    R"("structuredContent":{"message":"häi"})");
  }
  SUBCASE("a modern call that is answered with a stream") {
    check_every_cut(port,
                    modern_call(port, kAda,
                                {{"name", "test_streaming_elicitation"},
                                 {"arguments", Json::object()},
                                 {"_meta", {{"progressToken", "p"}}}}),
                    R"("method":"notifications/progress")");
  }
  SUBCASE("a call of a session") {
    const LegacySession session(port, kAda);
    check_every_cut(port, session.call("echo", {{"message", "hi"}}, 7),
                    R"("structuredContent":{"message":"hi"})");
  }
  SUBCASE("a handshake, which opens a session each time") {
    const std::string request = wire_post(
        port, kAda, {},
        R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})");
    check_every_cut(port, request, "Mcp-Session-Id: \r\n");
  }
  SUBCASE("a batch of 2025-03-26") {
    const Json call{{"name", "echo"}, {"arguments", {{"message", "two"}}}};
    const Json batch =
        Json::array({{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}},
                     {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}},
                     {{"jsonrpc", "2.0"}, {"id", 2}, {"method", "tools/call"}, {"params", call}}});
    check_every_cut(port, wire_post(port, kAda, {{"MCP-Protocol-Version", "2025-03-26"}}, dump_json(batch)),
                    R"([{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result")");
  }
  SUBCASE("a request without a right to anything") {
    check_every_cut(port, modern_call(port, "nobody", {{"name", "echo"}, {"arguments", Json::object()}}),
                    "HTTP/1.1 401 ");
  }
}
