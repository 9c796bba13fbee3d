// How the tests of the modern era send a call, and what every answer of theirs must have.
#pragma once

#include <doctest/doctest.h>

#include "unit/mcp/fakes.h"

namespace vmcp::mcp::fakes {

constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

inline Json json_of(const Answer& answer) {
  CAPTURE(answer.body);
  CHECK(answer.content_type == "application/json");
  auto parsed = parse_json(answer.body);
  REQUIRE(parsed.ok());
  CHECK((*parsed)["jsonrpc"] == "2.0");
  return *parsed;
}

// One answer, of that status, with that error code; the id is echoed or absent, never null.
inline Json check_error(Rig& rig, const Answer& answer, int status, int code, const Json& id = nullptr) {
  CHECK(rig.inbound->answers.size() == 1);
  CHECK(answer.status == status);
  Json body = json_of(answer);
  CHECK(body["error"]["code"] == code);
  CHECK(body["error"]["message"].get<std::string>().size() > 10);
  CHECK_FALSE(body.contains("result"));
  if (id.is_null())
    CHECK_FALSE(body.contains("id"));
  else
    CHECK(body["id"] == id);
  CHECK(header_of(answer, "X-Request-Id") == "req-" + std::to_string(rig.pipeline.opened));
  return body;
}

inline Json check_result(Rig& rig, const Answer& answer, const Json& id = 1) {
  CHECK(rig.inbound->answers.size() == 1);
  CHECK(answer.status == 200);
  Json body = json_of(answer);
  REQUIRE(body.contains("result"));
  CHECK(body["id"] == id);
  CHECK(body.size() == 3);
  CHECK(body["result"]["resultType"] == "complete");
  CHECK(body["result"]["_meta"]["io.modelcontextprotocol/serverInfo"] ==
        Json{{"name", "vsphere-mcp-pro"}, {"version", "0.1.0"}});
  return body["result"];
}

inline Json call_body(Json arguments = nullptr, std::string name = "echo") {
  Json params{{"name", std::move(name)}};
  if (!arguments.is_null()) params["arguments"] = std::move(arguments);
  return modern_body("tools/call", std::move(params));
}

inline Headers call_headers(std::string name = "echo") {
  return modern_headers("tools/call", name);
}

inline void set(Headers& headers, const std::string& name, const std::string& value) {
  for (auto& [key, old] : headers)
    if (key == name) old = value;
}

inline Headers without(const Headers& headers, const std::string& name) {
  Headers out;
  for (const auto& h : headers)
    if (h.first != name) out.push_back(h);
  return out;
}

}  // namespace vmcp::mcp::fakes
