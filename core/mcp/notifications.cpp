#include "mcp/notifications.h"

#include <algorithm>
#include <array>

#include "base/mask.h"

namespace vmcp::mcp {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};
constexpr std::size_t kMaxLogBytes = 16u << 10;

void append_number(std::string& out, double value) {
  out += dump_json(Json(value));
}

}  // namespace

int log_level_of(std::string_view name) {
  const auto it = std::find(kLevels.begin(), kLevels.end(), name);
  return it == kLevels.end() ? -1 : static_cast<int>(it - kLevels.begin());
}

std::string notification(std::string_view method, std::string_view params_json) {
  std::string out = R"({"jsonrpc":"2.0","method":")";
  out += method;
  out += '"';
  if (!params_json.empty()) {
    out += R"(,"params":)";
    out += params_json;
  }
  out += '}';
  return out;
}

std::string client_request(std::string_view id, std::string_view request_json) {
  std::string out = R"({"jsonrpc":"2.0","id":)";
  append_json_string(out, id);
  out += ',';
  out += request_json.substr(request_json.find('{') + 1);
  return out;
}

std::string progress_params(const std::string& token_json, double done, double total, std::string_view note) {
  std::string out = R"({"progressToken":)" + token_json + R"(,"progress":)";
  append_number(out, done);
  if (total > 0) {
    out += R"(,"total":)";
    append_number(out, total);
  }
  if (!note.empty()) {
    out += R"(,"message":)";
    append_json_string(out, mask_text(note, 512));
  }
  out += '}';
  return out;
}

std::string message_params(std::string_view level, std::string_view logger, std::string_view data_json) {
  std::string out = R"({"level":")" + std::string(level) + "\"";
  if (!logger.empty()) {
    out += R"(,"logger":)";
    append_json_string(out, logger.substr(0, 128));
  }
  out += R"(,"data":)";
  const auto data = parse_trusted_json(data_json, kMaxLogBytes);
  if (data)
    append_masked_json(out, *data, kMaxLogBytes);
  else
    append_json_string(out, mask_text(data_json.substr(0, kMaxLogBytes)));
  out += '}';
  return out;
}

}  // namespace vmcp::mcp
