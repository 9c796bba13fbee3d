// Requests as bytes, for tests that decide themselves when which byte is sent, and what comes back as events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "unit/http/raw_client.h"

namespace vmcp::testing {

using http::test::RawClient;
using Fields = std::vector<std::pair<std::string, std::string>>;

// `body` as a POST (nothing: a GET) to /mcp of the server on `port`.
std::string wire_post(std::uint16_t port, const std::string& token, const Fields& more,
                      const std::string& body);
std::string wire_get(std::uint16_t port, const std::string& token, const Fields& more);

// A tools/call of 2026-07-28 with its headers; `params` may bring more than name and arguments.
std::string modern_call(std::uint16_t port, const std::string& token, Json params, Json id = 1);
// Any other request of that revision.
std::string modern_request(std::uint16_t port, const std::string& token, const std::string& method,
                           Json params, Json id = 1);

// A session of the handshake era; what it sends names it.
class LegacySession {
 public:
  LegacySession(std::uint16_t port, std::string token, const std::string& version = "2025-11-25",
                Json capabilities = Json::object());
  std::string post(const Json& body) const;  // as bytes
  std::string get(const std::string& last_event_id = {}) const;
  std::string call(const std::string& tool, const Json& arguments, Json id, Json meta = nullptr) const;
  const std::string& id() const { return id_; }

 private:
  Fields fields() const;
  const std::uint16_t port_;
  const std::string token_, version_;
  std::string id_;
};

struct Event {
  std::string id;  // empty: it has none
  Json message;    // null: a priming event
};
// The events of a whole or broken-off stream body; comments are left out.
std::vector<Event> events_of(std::string_view body);
// Reads chunks until `count` events with a message are there; fewer when the stream ends or none comes in
// time.
std::vector<Event> read_events(RawClient& client, std::size_t count,
                               milliseconds within = milliseconds(8'000));

// Whether the answer's head begins a stream of events.
bool is_stream(const http::test::Answer& head);

}  // namespace vmcp::testing
