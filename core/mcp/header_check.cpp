#include "mcp/header_check.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/crypto.h"

namespace vmcp::mcp {
namespace {

constexpr std::string_view kSentinelHead = "=?base64?";
constexpr std::string_view kSentinelTail = "?=";

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The part before `separator`; `rest` keeps what follows.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return trim(part);
}

bool legal(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\t'; });
}

// The one header of that name, in `value`. Empty, or why there is no such one.
std::string read_header(const Inbound& inbound, std::string_view name, std::string_view shown,
                        std::string_view& value) {
  value = inbound.header(name);
  if (value.data() == nullptr) return "the " + std::string(shown) + " header is missing";
  if (inbound.header_count(name) != 1) return "the " + std::string(shown) + " header occurs more than once";
  value = trim(value);
  if (!legal(value)) return "the " + std::string(shown) + " header has characters that no header may have";
  return {};
}

// Undoes the base64 sentinel, if there is one. False: it is there and broken.
bool decode(std::string_view value, std::string& storage, std::string_view& out) {
  out = value;
  if (!value.starts_with(kSentinelHead) || !value.ends_with(kSentinelTail) ||
      value.size() < kSentinelHead.size() + kSentinelTail.size())
    return true;
  value.remove_prefix(kSentinelHead.size());
  value.remove_suffix(kSentinelTail.size());
  if (!base64_decode(value, storage)) return false;
  out = storage;
  return true;
}

bool same_number(std::string_view text, const Json& number) {
  const char* end = text.data() + text.size();
  if (number.is_number_integer()) {
    std::int64_t v = 0;
    if (const auto [p, e] = std::from_chars(text.data(), end, v); e == std::errc() && p == end)
      return number == v;
  }
  double v = 0;
  const auto [p, e] = std::from_chars(text.data(), end, v);
  return e == std::errc() && p == end && std::isfinite(v) && number.get<double>() == v;
}

// Null when the property is absent or null: then no header is expected.
const Json* value_at(const Json& arguments, const std::vector<std::string>& path) {
  const Json* at = &arguments;
  for (const std::string& name : path) {
    if (!at->is_object()) return nullptr;
    const auto it = at->find(name);
    if (it == at->end()) return nullptr;
    at = &*it;
  }
  return at->is_null() ? nullptr : at;
}

bool same(std::string_view text, const Json& value) {
  if (value.is_string()) return text == value.get_ref<const std::string&>();
  if (value.is_boolean()) return text == (value.get<bool>() ? "true" : "false");
  if (value.is_number()) return same_number(text, value);
  return true;  // an object or array where the schema wants a plain value: the schema will say so better
}

// Which member of params Mcp-Name repeats; empty when the method has none.
std::string_view name_member(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") return "taskId";
  if (method == "resources/read") return "uri";
  return {};
}

}  // namespace

std::string check_version_header(const Inbound& inbound, std::string_view version) {
  std::string_view value;
  if (std::string why = read_header(inbound, "mcp-protocol-version", "MCP-Protocol-Version", value);
      !why.empty())
    return why + "; send the version that _meta names";
  return value == version ? "" : "the MCP-Protocol-Version header differs from the version in _meta";
}

std::string check_method_headers(const Inbound& inbound, std::string_view method, const Json* params) {
  std::string_view value;
  if (std::string why = read_header(inbound, "mcp-method", "Mcp-Method", value); !why.empty())
    return why + "; send the request's method";
  if (value != method) return "the Mcp-Method header differs from the request's method";
  const std::string_view member = name_member(method);
  if (member.empty() || params == nullptr) return {};
  const auto name = params->find(member);
  if (name == params->end() || !name->is_string()) return {};  // refused as a parameter
  if (std::string why = read_header(inbound, "mcp-name", "Mcp-Name", value); !why.empty())
    return why + "; send params." + std::string(member);
  std::string storage;
  if (!decode(value, storage, value)) return "the Mcp-Name header is not valid base64 inside =?base64?…?=";
  if (value != name->get_ref<const std::string&>())
    return "the Mcp-Name header differs from params." + std::string(member);
  return {};
}

std::string check_param_headers(const Inbound& inbound, const std::vector<tools::HeaderParam>& declared,
                                const Json& arguments) {
  for (const tools::HeaderParam& param : declared) {
    const Json* expected = value_at(arguments, param.path);
    if (expected == nullptr) continue;
    std::string_view value;
    if (std::string why = read_header(inbound, param.header, param.header, value); !why.empty())
      return why + "; repeat the argument \"" + param.path.back() + "\" in it";
    std::string storage;
    if (!decode(value, storage, value))
      return "the " + param.header + " header is not valid base64 inside =?base64?…?=";
    if (!same(value, *expected))
      return "the " + param.header + " header differs from the argument \"" + param.path.back() + "\"";
  }
  return {};
}

bool is_json_content(std::string_view content_type) {
  if (!equal_ignoring_case(next_part(content_type, ';'), "application/json")) return false;
  while (!content_type.empty()) {
    std::string_view parameter = next_part(content_type, ';');
    if (!equal_ignoring_case(next_part(parameter, '='), "charset")) continue;
    std::string_view charset = trim(parameter);
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    if (!equal_ignoring_case(charset, "utf-8") && !equal_ignoring_case(charset, "utf8")) return false;
  }
  return true;
}

bool accepts_json(std::string_view accept) {
  if (accept.data() == nullptr) return true;
  while (!accept.empty()) {
    std::string_view range = next_part(accept, ',');
    const std::string_view type = next_part(range, ';');
    if (type == "*/*" || equal_ignoring_case(type, "application/json") ||
        equal_ignoring_case(type, "application/*"))
      return true;
  }
  return false;
}

bool accepts_event_stream(std::string_view accept) {
  while (!accept.empty()) {
    std::string_view range = next_part(accept, ',');
    const std::string_view type = next_part(range, ';');
    if (type == "*/*" || equal_ignoring_case(type, "text/event-stream") ||
        equal_ignoring_case(type, "text/*"))
      return true;
  }
  return false;
}

}  // namespace vmcp::mcp
