#include "mcp/render.h"

namespace vmcp::mcp {
namespace {

// Only what is served is declared.
constexpr std::string_view kCapabilities = R"("capabilities":{"logging":{},"tools":{"listChanged":true}})";

void append_id(std::string& out, const Json& id) {
  if (id.is_string())
    append_json_string(out, id.get_ref<const std::string&>());
  else if (id.is_number_unsigned())
    out += std::to_string(id.get<std::uint64_t>());
  else
    append_json_int(out, id.get<std::int64_t>());
}

// {"jsonrpc":"2.0","id":…,"result":{
std::string begin_result(const Json& id, std::size_t expected) {
  std::string out;
  out.reserve(expected + 64);
  out += R"({"jsonrpc":"2.0","id":)";
  append_id(out, id);
  out += R"(,"result":{)";
  return out;
}

void append_refusal(std::string& out, const pipeline::ToolAnswer& answer, std::string_view request_id) {
  append_json_key(out, kMetaRefusal);
  out += '{';
  append_json_key(out, "code");
  append_json_string(out, code_name(answer.code));
  if (!answer.rule.empty()) {
    append_json_key(out, "rule");
    append_json_string(out, answer.rule);
  }
  if (answer.retry_after_ms > 0) {
    append_json_key(out, "retryAfterMs");
    append_json_int(out, answer.retry_after_ms);
  }
  append_json_key(out, "requestId");
  append_json_string(out, request_id);
  out += '}';
}

void append_content(std::string& out, const pipeline::ToolAnswer& answer) {
  append_json_key(out, "content");
  out += '[';
  const auto block = [&](std::string_view text) {
    out += out.back() == '[' ? R"({"type":"text","text":)" : R"(,{"type":"text","text":)";
    append_json_string(out, text);
    out += '}';
  };
  for (const std::string& text : answer.texts) block(text);
  for (const std::string& text : answer.blocks) {
    if (out.back() != '[') out += ',';
    out += text;
  }
  // Whoever cannot read structuredContent still gets the answer.
  if (out.back() == '[' && !answer.structured.empty()) block(answer.structured);
  out += ']';
}

}  // namespace

Renderer::Renderer(const Settings& settings) {
  server_info_ = "{";
  append_json_key(server_info_, "name");
  append_json_string(server_info_, settings.server_name);
  append_json_key(server_info_, "version");
  append_json_string(server_info_, settings.server_version);
  server_info_ += '}';
  modern_meta_ = R"("_meta":{)";
  append_json_key(modern_meta_, kMetaServerInfo);
  modern_meta_ += server_info_;
  if (!settings.instructions.empty()) {
    append_json_key(instructions_, "instructions");
    append_json_string(instructions_, settings.instructions);
    instructions_.insert(instructions_.begin(), ',');
  }
  cache_ = R"(,"ttlMs":)";
  append_json_int(cache_, settings.list_ttl_ms);
  cache_ += R"(,"cacheScope":"private")";
}

std::string Renderer::error(const Json* id, const Fault& fault) const {
  std::string out = R"({"jsonrpc":"2.0")";
  if (id != nullptr) {
    out += R"(,"id":)";
    append_id(out, *id);
  }
  out += R"(,"error":{"code":)";
  append_json_int(out, fault.code);
  out += R"(,"message":)";
  append_json_string(out, fault.text);
  if (!fault.data.empty()) {
    out += R"(,"data":)";
    out += fault.data;
  }
  out += "}}";
  return out;
}

std::string Renderer::empty_result(const Json& id) const {
  return begin_result(id, 8) + "}}";
}

std::string Renderer::initialize(const Json& id, Version version) const {
  std::string out = begin_result(id, 256 + instructions_.size());
  out += R"("protocolVersion":")";
  out += version_name(version);
  out += "\",";
  out += kCapabilities;
  out += R"(,"serverInfo":)";
  out += server_info_;
  out += instructions_;
  out += "}}";
  return out;
}

std::string Renderer::discover(const Json& id) const {
  std::string out = begin_result(id, 400 + instructions_.size());
  // Only what may stand in _meta: the handshake's revisions are negotiated by `initialize`.
  out += R"("resultType":"complete","supportedVersions":[")";
  out += version_name(Version::v2026_07_28);
  out += "\"],";
  out += kCapabilities;
  out += instructions_;
  out += cache_;
  out += ',';
  out += modern_meta_;
  out += "}}}";
  return out;
}

std::string Renderer::tool_list(const Json& id, Version version, const pipeline::ToolPage& page) const {
  const bool old = version == Version::v2025_03_26;
  std::size_t expected = 512;
  for (const auto& tool : page.tools) expected += tool->listed_modern.size() + 1;
  std::string out = begin_result(id, expected);
  out += R"("tools":[)";
  for (const auto& tool : page.tools) {
    if (out.back() != '[') out += ',';
    out += old ? tool->listed_2025_03 : tool->listed_modern;
  }
  out += ']';
  if (!page.next_cursor.empty()) {
    append_json_key(out, "nextCursor");
    append_json_string(out, page.next_cursor);
  }
  if (is_modern(version)) {
    out += R"(,"resultType":"complete")";
    out += cache_;
    out += ',';
    out += modern_meta_;
    out += '}';
  }
  out += "}}";
  return out;
}

std::string Renderer::tool_result(const Json& id, Version version, const pipeline::ToolAnswer& answer,
                                  std::string_view request_id) const {
  std::size_t expected = 320 + answer.structured.size();
  for (const std::string& block : answer.blocks) expected += block.size() + 1;
  for (const std::string& text : answer.texts) expected += text.size() + text.size() / 8 + 32;
  std::string out = begin_result(id, expected);
  append_content(out, answer);
  if (!answer.structured.empty() && !answer.is_error && version != Version::v2025_03_26) {
    out += R"(,"structuredContent":)";
    out += answer.structured;
  }
  if (answer.is_error) out += R"(,"isError":true)";
  if (is_modern(version)) {
    out += R"(,"resultType":"complete",)";
    out += modern_meta_;
    if (answer.is_error) append_refusal(out, answer, request_id);
    out += '}';
  } else if (answer.is_error) {
    out += R"(,"_meta":{)";
    append_refusal(out, answer, request_id);
    out += '}';
  }
  out += "}}";
  return out;
}

std::string Renderer::input_required(const Json& id, const pipeline::ToolAnswer& answer) const {
  std::size_t expected = 320 + answer.request_state.size();
  for (const auto& [key, request] : answer.requests) expected += key.size() + request.size() + 8;
  std::string out = begin_result(id, expected);
  out += R"("resultType":"input_required","inputRequests":{)";
  for (const auto& [key, request] : answer.requests) {
    append_json_key(out, key);
    out += request;
  }
  out += R"(},"requestState":)";
  append_json_string(out, answer.request_state);
  out += ',';
  out += modern_meta_;
  out += "}}}";
  return out;
}

}  // namespace vmcp::mcp
