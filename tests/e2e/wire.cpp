#include "e2e/wire.h"

#include <doctest/doctest.h>

namespace vmcp::testing {
namespace {

std::string head(std::uint16_t port, const std::string& method, const std::string& token,
                 const Fields& more) {
  std::string out = method + " /mcp HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n";
  if (!token.empty()) out += "Authorization: Bearer " + token + "\r\n";
  for (const auto& [name, value] : more) out.append(name).append(": ").append(value).append("\r\n");
  return out;
}

constexpr const char* kBoth = "application/json, text/event-stream";

}  // namespace

std::string wire_post(std::uint16_t port, const std::string& token, const Fields& more,
                      const std::string& body) {
  Fields fields = {{"Content-Type", "application/json"}, {"Accept", kBoth}};
  fields.insert(fields.end(), more.begin(), more.end());
  fields.emplace_back("Content-Length", std::to_string(body.size()));
  return head(port, "POST", token, fields) + "\r\n" + body;
}

std::string wire_get(std::uint16_t port, const std::string& token, const Fields& more) {
  Fields fields = {{"Accept", "text/event-stream"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return head(port, "GET", token, fields) + "\r\n";
}

std::string modern_request(std::uint16_t port, const std::string& token, const std::string& method,
                           Json params, Json id) {
  Json& meta = params["_meta"];
  meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
  if (!meta.contains("io.modelcontextprotocol/clientCapabilities"))
    meta["io.modelcontextprotocol/clientCapabilities"] = Json::object();
  Fields fields = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", method}};
  for (const char* member : {"name", "uri", "taskId"})
    if (params.contains(member)) fields.emplace_back("Mcp-Name", params[member].get<std::string>());
  return wire_post(
      port, token, fields,
      dump_json({{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"method", method}, {"params", params}}));
}

std::string modern_call(std::uint16_t port, const std::string& token, Json params, Json id) {
  return modern_request(port, token, "tools/call", std::move(params), std::move(id));
}

LegacySession::LegacySession(std::uint16_t port, std::string token, const std::string& version,
                             Json capabilities)
    : port_(port), token_(std::move(token)), version_(version) {
  RawClient client(port);
  const Json params{{"protocolVersion", version},
                    {"capabilities", std::move(capabilities)},
                    {"clientInfo", {{"name", "e2e"}, {"version", "1"}}}};
  client.send(wire_post(
      port, token_, {},
      dump_json({{"jsonrpc", "2.0"}, {"id", "hello"}, {"method", "initialize"}, {"params", params}})));
  const auto answer = client.answer();
  REQUIRE((answer && answer->status == 200));
  constexpr std::string_view kName = "Mcp-Session-Id: ";
  const std::size_t at = answer->head.find(kName);
  REQUIRE(at != std::string::npos);
  id_ = answer->head.substr(at + kName.size(), answer->head.find('\r', at) - at - kName.size());
}

Fields LegacySession::fields() const {
  return {{"MCP-Protocol-Version", version_}, {"Mcp-Session-Id", id_}};
}

std::string LegacySession::post(const Json& body) const {
  return wire_post(port_, token_, fields(), dump_json(body));
}

std::string LegacySession::get(const std::string& last_event_id) const {
  Fields all = fields();
  if (!last_event_id.empty()) all.emplace_back("Last-Event-ID", last_event_id);
  return wire_get(port_, token_, all);
}

std::string LegacySession::call(const std::string& tool, const Json& arguments, Json id, Json meta) const {
  Json params{{"name", tool}, {"arguments", arguments}};
  if (!meta.is_null()) params["_meta"] = std::move(meta);
  return post({{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"method", "tools/call"}, {"params", params}});
}

std::vector<Event> events_of(std::string_view body) {
  std::vector<Event> out;
  for (std::size_t from = 0; from < body.size();) {
    const std::size_t end = body.find("\n\n", from);
    if (end == std::string_view::npos) break;  // broken off: no event
    Event event;
    bool any = false;
    for (std::size_t line = from; line < end;) {
      const std::size_t stop = std::min(body.find('\n', line), end);
      const std::string_view text = body.substr(line, stop - line);
      if (text.starts_with("id: ")) event.id = text.substr(4);
      if (text.starts_with("data: ")) {
        any = true;
        if (text.size() > 6) event.message = Json::parse(text.substr(6));
      }
      line = stop + 1;
    }
    if (any) out.push_back(std::move(event));
    from = end + 2;
  }
  return out;
}

std::vector<Event> read_events(RawClient& client, std::size_t count, milliseconds within) {
  std::string body;
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    std::vector<Event> events = events_of(body);
    std::erase_if(events, [](const Event& e) { return e.message.is_null(); });
    if (events.size() >= count) return events;
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    const auto chunk = left.count() > 0 ? client.chunk(left) : std::nullopt;
    if (!chunk || chunk->empty()) return events;
    body += *chunk;
  }
}

bool is_stream(const http::test::Answer& head) {
  return head.status == 200 && head.says("Content-Type: text/event-stream");
}

}  // namespace vmcp::testing
