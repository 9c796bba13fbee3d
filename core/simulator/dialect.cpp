// Where /api and /rest differ: the wrapping of values, maps, success codes and errors.
#include <algorithm>
#include <array>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

struct ErrorRow {
  const char* type;
  int api_status;
  int rest_status;
};

// Of the official documents, counted over all operations: what the server cannot help is 500 in /api but 400
// in /rest.
constexpr std::array kErrors = {
    ErrorRow{"UNAUTHENTICATED", 401, 401},
    ErrorRow{"UNAUTHORIZED", 403, 403},
    ErrorRow{"NOT_FOUND", 404, 404},
    ErrorRow{"OPERATION_NOT_FOUND", 404, 404},
    ErrorRow{"CONCURRENT_CHANGE", 409, 400},
    ErrorRow{"RESOURCE_BUSY", 500, 400},
    ErrorRow{"RESOURCE_INACCESSIBLE", 500, 400},
    ErrorRow{"UNABLE_TO_ALLOCATE_RESOURCE", 500, 400},
    ErrorRow{"ERROR", 500, 400},
    ErrorRow{"INTERNAL_SERVER_ERROR", 500, 500},
    ErrorRow{"TIMED_OUT", 500, 504},
    ErrorRow{"SERVICE_UNAVAILABLE", 503, 503},
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

Json messages_json(const std::vector<Message>& messages) {
  Json out = Json::array();
  for (const Message& message : messages) {
    out.push_back({{"id", message.id}, {"default_message", message.text}, {"args", message.args}});
  }
  return out;
}

Json key_value_list(const Json& map) {
  Json out = Json::array();
  for (const auto& [key, value] : map.items()) out.push_back({{"key", key}, {"value", value}});
  return out;
}

Json rest_value(const Answer& answer) {
  Json value = answer.value;
  for (const std::string& name : answer.maps) {
    if (name.empty()) {
      value = key_value_list(value);
    } else if (value.contains(name)) {
      value[name] = key_value_list(value[name]);
    }
  }
  return value;
}

}  // namespace

int status_of(std::string_view type, Dialect dialect) {
  for (const ErrorRow& row : kErrors) {
    if (type == row.type) return dialect == Dialect::api ? row.api_status : row.rest_status;
  }
  return 400;
}

Reply to_reply(const Answer& answer, Dialect dialect) {
  Reply reply;
  reply.headers = answer.headers;
  const bool api = dialect == Dialect::api;
  switch (answer.kind) {
    case Answer::Kind::nothing:
      reply.status = api ? 204 : 200;
      return reply;
    case Answer::Kind::value:
    case Answer::Kind::created:
      reply.status = api && answer.kind == Answer::Kind::created ? 201 : 200;
      reply.body = dump_json(api ? answer.value : Json{{"value", rest_value(answer)}});
      break;
    case Answer::Kind::error: {
      reply.status = status_of(answer.error_type, dialect);
      Json body = {{"error_type", answer.error_type}, {"messages", messages_json(answer.messages)}};
      if (!api) body = {{"type", "com.vmware.vapi.std.errors." + lower(answer.error_type)}, {"value", body}};
      reply.body = dump_json(body);
      break;
    }
  }
  reply.headers.emplace_back("Content-Type", "application/json");
  return reply;
}

Reply error_reply(int status, Dialect dialect) {
  const char* type = nullptr;
  for (const ErrorRow& row : kErrors) {
    if (type == nullptr && (dialect == Dialect::api ? row.api_status : row.rest_status) == status)
      type = row.type;
  }
  if (status == 400) type = "INVALID_REQUEST";
  if (status == 500)
    type = "INTERNAL_SERVER_ERROR";  // the server's own, not the first row that shares the code
  Reply reply;
  reply.status = status;
  if (type == nullptr) return reply;  // 429, 502 …: made in front of vCenter, without a body of its own
  const Message message = {
      "com.vmware.vapi.endpoint.failure", "The request failed by order of a fault rule.", {}};
  reply = to_reply(Answer::error(type, message), dialect);
  reply.status = status;
  return reply;
}

}  // namespace vmcp::simulator
