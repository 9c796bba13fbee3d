// One JSON-RPC message, read out of the parsed body. Views and pointers live as long as the parsed value.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace vmcp::mcp {

struct Message {
  enum class Kind { request, notification, response };

  Kind kind = Kind::request;
  const Json* id = nullptr;  // string or integer; null when absent or unreadable
  std::string_view method;
  Json* params = nullptr;  // an object; null when absent
};

// Empty, or why `value` is no request, notification or response. `out.id` is set whenever it is readable, so
// that the refusal can carry it. `bad_params` tells that only `params` is wrong.
std::string read_message(Json& value, Message& out, bool& bad_params);

// "name/version" of the client for the log, cut; empty when it did not say.
std::string client_of(const Json* meta);

}  // namespace vmcp::mcp
