// What the server says without being asked, as text; and MCP's log levels.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace vmcp::mcp {

// "debug" → 0 … "emergency" → 7; negative when it is none of MCP's eight.
int log_level_of(std::string_view name);

// {"jsonrpc":"2.0","method":…,"params":…}; `params_json` empty: none.
std::string notification(std::string_view method, std::string_view params_json);
// {"jsonrpc":"2.0","id":…,"method":…,"params":…} to a client of the handshake era. `request_json`:
// {"method","params"}.
std::string client_request(std::string_view id, std::string_view request_json);
// params of notifications/progress; total <= 0: unknown, empty note: none.
std::string progress_params(const std::string& token_json, double done, double total, std::string_view note);
// params of notifications/message; masked.
std::string message_params(std::string_view level, std::string_view logger, std::string_view data_json);

}  // namespace vmcp::mcp
