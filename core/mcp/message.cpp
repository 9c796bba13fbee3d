#include "mcp/message.h"

#include "mcp/era.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxMethod = 128;
constexpr std::size_t kMaxId = 256;
constexpr std::size_t kMaxClientPart = 64;

bool usable_id(const Json& id) {
  return id.is_number_integer() || (id.is_string() && id.get_ref<const std::string&>().size() <= kMaxId);
}

void append_part(std::string& out, const Json& info, const char* key) {
  const auto it = info.find(key);
  if (it == info.end() || !it->is_string()) return;
  for (const char c : std::string_view(it->get_ref<const std::string&>()).substr(0, kMaxClientPart))
    out += c > 0x20 && c < 0x7F ? c : '_';
}

}  // namespace

std::string read_message(Json& value, Message& out, bool& bad_params) {
  bad_params = false;
  if (!value.is_object()) return "the body must be one JSON-RPC 2.0 object";
  const auto id = value.find("id");
  const bool has_id = id != value.end();
  if (has_id && usable_id(*id)) out.id = &*id;
  if (const auto it = value.find("jsonrpc"); it == value.end() || *it != "2.0")
    return "\"jsonrpc\" must be \"2.0\"";
  const auto method = value.find("method");
  const bool answers = value.contains("result") || value.contains("error");
  if (method == value.end()) {
    if (!answers) return "\"method\" is missing";
    if (has_id && out.id == nullptr) return "\"id\" must be a string or an integer";
    out.kind = Message::Kind::response;
    return {};
  }
  if (answers) return "a message has either \"method\" or a result, not both";
  if (has_id && out.id == nullptr)
    return "\"id\" must be an integer or a string of at most " + std::to_string(kMaxId) + " bytes";
  if (!method->is_string() || method->get_ref<const std::string&>().empty() ||
      method->get_ref<const std::string&>().size() > kMaxMethod)
    return "\"method\" must be a string of 1 to " + std::to_string(kMaxMethod) + " bytes";
  out.kind = has_id ? Message::Kind::request : Message::Kind::notification;
  out.method = method->get_ref<const std::string&>();
  if (const auto params = value.find("params"); params != value.end()) {
    bad_params = !params->is_object();
    if (bad_params) return "\"params\" must be an object";
    out.params = &*params;
  }
  return {};
}

std::string client_of(const Json* meta) {
  std::string out;
  if (meta == nullptr) return out;
  const auto info = meta->find(kMetaClientInfo);
  if (info == meta->end() || !info->is_object()) return out;
  append_part(out, *info, "name");
  if (out.empty()) return out;
  out += '/';
  append_part(out, *info, "version");
  return out;
}

}  // namespace vmcp::mcp
