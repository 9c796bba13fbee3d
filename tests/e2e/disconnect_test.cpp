// Clients that go away: what that means in each era, and what they find when they come back. And the
// browser's question before the first request.
#include <doctest/doctest.h>

#include "e2e/site.h"
#include "e2e/wire.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr int kWait = 10'000;

// The audit's outcome of the first call of `tool`; null when none comes in time.
Json outcome_of(const ServerProcess& server, const std::string& tool) {
  Json found;
  wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("tool", "") == tool && line.value("event", "") == "outcome") found = line;
        return !found.is_null();
      },
      kWait);
  return found;
}

Json log_level(const char* level) {
  return {
      {"jsonrpc", "2.0"}, {"id", "level"}, {"method", "logging/setLevel"}, {"params", {{"level", level}}}};
}

// What comes with Last-Event-ID `after`, up to the stream's end.
std::vector<Event> resumed(std::uint16_t port, const LegacySession& session, const std::string& after) {
  RawClient client(port);
  client.send(session.get(after));
  const auto head = client.head();
  REQUIRE(head);
  REQUIRE_MESSAGE(is_stream(*head), head->head);
  const auto body = client.chunked_body();
  REQUIRE(body);
  return events_of(*body);
}

}  // namespace

TEST_CASE("disconnect: a modern client that leaves cancels its call, and the tool hears of it") {
  const Site site({"slow"});
  const ServerProcess server(site.options_without_vcenter());
  {
    RawClient client(server.port());
    client.send(modern_call(server.port(), kAda, {{"name", "slow"}, {"arguments", {{"ms", 25'000}}}}));
    // The server has begun: it holds the call's place, so that a second one is counted beside it.
    CHECK(call_tool(server.port(), kAda, "slow", {{"ms", 50}}).status == 200);
  }
  const auto began = std::chrono::steady_clock::now();
  Json cancelled;
  wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("tool", "") == "slow" && !line.value("ok", true)) cancelled = line;
        return !cancelled.is_null();
      },
      kWait);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  REQUIRE_FALSE(cancelled.is_null());
  CHECK_MESSAGE(cancelled["event"] == "outcome", cancelled.dump());
  CHECK_MESSAGE(cancelled["code"] == "cancelled", cancelled.dump());
  CHECK(cancelled["error"].dump().find("The wait was cancelled.") != std::string::npos);
  CHECK(cancelled["duration_ms"] < 20'000);
}

TEST_CASE("disconnect: a client of a session that leaves cancels nothing") {
  const Site site({"slow"});
  const ServerProcess server(site.options_without_vcenter());
  const LegacySession session(server.port(), kAda);
  {
    RawClient client(server.port());
    client.send(session.call("slow", {{"ms", 600}}, "left"));
    RawClient second(server.port());  // a round trip: by then the first call is there
    second.send(session.post({{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}}));
    CHECK(second.head());
  }
  const Json outcome = outcome_of(server, "slow");
  REQUIRE_FALSE(outcome.is_null());
  CHECK_MESSAGE(outcome["ok"] == true, outcome.dump());
  CHECK(outcome["duration_ms"] >= 500);
}

TEST_CASE("disconnect: without a session it cancels nothing either") {
  const Site site({"slow"});
  const ServerProcess server(site.options_without_vcenter());
  {
    RawClient client(server.port());
    client.send(wire_post(
        server.port(), kAda, {{"MCP-Protocol-Version", "2025-06-18"}},
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}})"));
    CHECK(modern(server.port(), kAda, "tools/list", Json::object()).status == 200);
  }
  const Json outcome = outcome_of(server, "slow");
  REQUIRE_FALSE(outcome.is_null());
  CHECK_MESSAGE(outcome["ok"] == true, outcome.dump());
}

TEST_CASE("disconnect: after a cut the missed events come exactly once, however often it is cut") {
  const Site site({"everything"});
  const ServerProcess server(site.options_without_vcenter());
  const std::uint16_t port = server.port();
  const LegacySession session(port, kAda);
  {
    RawClient client(port);
    client.send(session.post(log_level("debug")));
    CHECK(client.answer());
  }
  std::vector<std::string> texts, ids;
  const auto take = [&](const std::vector<Event>& events) {
    for (const Event& event : events) {
      if (event.message.is_null()) continue;
      ids.push_back(event.id);
      const Json& told = event.message.contains("method") ? event.message["params"]["data"]
                                                          : event.message["result"]["content"][0]["text"];
      texts.push_back(told.get<std::string>());
    }
  };
  {
    RawClient client(port);
    client.send(session.call("test_tool_with_logging", Json::object(), 5));
    const auto head = client.head();
    REQUIRE((head && is_stream(*head)));
    take(read_events(client, 1));
    client.reset();
  }
  REQUIRE(ids.size() == 1);
  {
    RawClient client(port);
    client.send(session.get(ids.back()));
    const auto head = client.head();
    REQUIRE((head && is_stream(*head)));
    take(read_events(client, 1));
    client.reset();
  }
  REQUIRE(ids.size() >= 2);
  const std::string before_last_cut = ids.back();
  take(resumed(port, session, before_last_cut));
  CHECK(texts == std::vector<std::string>{"Tool execution started", "Tool processing data",
                                          "Tool execution completed",
                                          "Tool with logging executed successfully"});
  for (std::size_t i = 1; i < ids.size(); ++i) CHECK(ids[i] != ids[i - 1]);
  // Whoever has everything gets an end and nothing before it.
  CHECK(resumed(port, session, ids.back()).empty());
  // The stream is the session's own: another identity has none of it, another session neither.
  const LegacySession other(port, kAda);
  RawClient stranger(port);
  stranger.send(other.get(before_last_cut));
  const auto refused = stranger.answer();
  REQUIRE(refused);
  CHECK(refused->status == 400);
}

TEST_CASE("disconnect: a stream that the server itself lets go of is resumed the same way") {
  const Site site({"everything"});
  const ServerProcess server(site.options_without_vcenter());
  const LegacySession session(server.port(), kAda);
  RawClient client(server.port());
  client.send(session.call("test_reconnection", Json::object(), 9));
  const auto head = client.head();
  REQUIRE((head && is_stream(*head)));
  const auto body = client.chunked_body();
  REQUIRE(body);
  const auto first = events_of(*body);
  REQUIRE(first.size() == 1);
  CHECK(first[0].message.is_null());
  const auto rest = resumed(server.port(), session, first[0].id);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].message["id"] == 9);
  CHECK(rest[0].message["result"]["content"][0]["text"].get<std::string>().starts_with("Reconnection test"));
}

TEST_CASE("browsers: the preflight names what is allowed, and answers carry the origin") {
  ServerOptions options;
  options.environment["RATE_LIMIT"] = "false";
  options.environment["VMCP__SERVER__ALLOWED_ORIGINS"] = "https://app.example";
  const ServerProcess server(options);
  const auto preflight = [&](const std::string& origin) {
    return send(server.port(), "OPTIONS", "/mcp",
                {{"Origin", origin},
                 {"Access-Control-Request-Method", "POST"},
                 {"Access-Control-Request-Headers", "authorization, mcp-param-region, x-evil"}},
                "");
  };
  const Answer allowed = preflight("https://app.example");
  CHECK(allowed.status == 204);
  CHECK(allowed.body.empty());
  const auto header = [](const Answer& answer, const char* name) {
    const auto it = answer.headers.find(name);
    return it == answer.headers.end() ? std::string("(absent)") : it->second;
  };
  CHECK(header(allowed, "access-control-allow-origin") == "https://app.example");
  CHECK(header(allowed, "vary") == "Origin");
  for (const char* method : {"POST", "GET", "DELETE"})
    CHECK(header(allowed, "access-control-allow-methods").find(method) != std::string::npos);
  const std::string names = header(allowed, "access-control-allow-headers");
  for (const char* name : {"authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name",
                           "mcp-session-id", "last-event-id", "mcp-param-region"})
    CHECK_MESSAGE(names.find(name) != std::string::npos, name);
  CHECK(names.find("x-evil") == std::string::npos);
  CHECK(header(allowed, "access-control-allow-credentials") == "(absent)");

  const Answer foreign = preflight("https://evil.example");
  CHECK(foreign.status == 403);
  CHECK(header(foreign, "access-control-allow-origin") == "(absent)");

  // The request that follows; also its refusal, or the page could not read why.
  const auto post = [&](const std::string& token) {
    return send(server.port(), "POST", "/mcp",
                {{"Content-Type", "application/json"},
                 {"Origin", "https://app.example"},
                 {"Authorization", "Bearer " + token}},
                R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  };
  for (const auto& [token, status] : {std::pair<std::string, int>{"demo-read", 200}, {"wrong", 401}}) {
    const Answer answer = post(token);
    CHECK(answer.status == status);
    CHECK(header(answer, "access-control-allow-origin") == "https://app.example");
    CHECK(header(answer, "access-control-expose-headers").find("mcp-session-id") != std::string::npos);
  }
  // Who is no browser is told nothing of origins.
  const Answer plain = send(server.port(), "GET", "/healthz", {}, "");
  CHECK(header(plain, "access-control-allow-origin") == "(absent)");
}
