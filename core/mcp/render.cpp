#include "mcp/render.h"

#include "base/clock.h"

namespace vmcp::mcp {
namespace {

// Only what is served is declared.
constexpr std::string_view kCapabilities =
    R"("capabilities":{"completions":{},"logging":{},"prompts":{"listChanged":true},)"
    R"("resources":{"listChanged":true,"subscribe":true},)"
    R"("tools":{"listChanged":true}})";

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
  if (answer.quota.limit > 0) {
    append_json_key(out, "limit");
    append_json_int(out, answer.quota.limit);
    append_json_key(out, "remaining");
    append_json_int(out, answer.quota.remaining);
    append_json_key(out, "resetMs");
    append_json_int(out, answer.quota.reset_ms);
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
  // The handshake era has no such extension.
  out += kCapabilities.substr(0, kCapabilities.size() - 1);
  out += R"(,"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  out += instructions_;
  out += cache_;
  out += ',';
  out += modern_meta_;
  out += "}}}";
  return out;
}

void Renderer::end_page(std::string& out, Version version, const std::string& next_cursor) const {
  out += ']';
  if (!next_cursor.empty()) {
    append_json_key(out, "nextCursor");
    append_json_string(out, next_cursor);
  }
  if (is_modern(version)) {
    out += R"(,"resultType":"complete")";
    out += cache_;
    out += ',';
    out += modern_meta_;
    out += '}';
  }
  out += "}}";
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
  end_page(out, version, page.next_cursor);
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

std::string Renderer::page(const Json& id, Version version, pipeline::List what,
                           const pipeline::Page& page) const {
  std::size_t expected = 512;
  for (const std::string_view item : page.items) expected += item.size() + 1;
  std::string out = begin_result(id, expected);
  out += what == pipeline::List::resources   ? R"("resources":[)"
         : what == pipeline::List::templates ? R"("resourceTemplates":[)"
                                             : R"("prompts":[)";
  for (const std::string_view item : page.items) {
    if (out.back() != '[') out += ',';
    out += item;
  }
  end_page(out, version, page.next_cursor);
  return out;
}

std::string Renderer::feature_result(const Json& id, Version version, pipeline::Feature feature,
                                     const pipeline::ToolAnswer& answer) const {
  std::size_t expected = 512 + answer.structured.size();
  for (const std::string& block : answer.blocks) expected += block.size() + 1;
  std::string out = begin_result(id, expected);
  if (feature == pipeline::Feature::completion) {
    out += R"("completion":)";
    out += answer.structured.empty() ? R"({"values":[]})" : answer.structured;
  } else {
    const bool resource = feature == pipeline::Feature::resource;
    // A prompt may say {"description":…}: its members stand beside the messages.
    if (!resource && answer.structured.size() > 2)
      out.append(answer.structured, 1, answer.structured.size() - 2).push_back(',');
    out += resource ? R"("contents":[)" : R"("messages":[)";
    for (const std::string& block : answer.blocks) {
      if (out.back() != '[') out += ',';
      out += block;
    }
    out += ']';
  }
  if (is_modern(version)) {
    out += R"(,"resultType":"complete")";
    // What was read is of this moment: cached by nobody but this caller, and not for long.
    if (feature == pipeline::Feature::resource) out += R"(,"ttlMs":0,"cacheScope":"private")";
    out += ',';
    out += modern_meta_;
    out += '}';
  }
  out += "}}";
  return out;
}

namespace {

// "taskId":…,"status":…,… without braces.
std::string task_head(const tasks::Task& task) {
  const auto time = [](std::int64_t ms) { return iso8601(WallTime(milliseconds(ms))); };
  std::string out = R"("taskId":")" + task.id + R"(","status":")" +
                    std::string(tasks::status_name(task.status)) + R"(","createdAt":")" +
                    time(task.created_ms) + R"(","lastUpdatedAt":")" + time(task.updated_ms) +
                    R"(","ttlMs":)" + std::to_string(task.ttl_ms);
  if (!tasks::is_final(task.status)) out += R"(,"pollIntervalMs":1000)";
  if (!task.message.empty()) {
    append_json_key(out, "statusMessage");
    append_json_string(out, task.message);
  }
  return out;
}

std::string whole_task(const tasks::Task& task) {
  std::string out = task_head(task);
  if (task.status == tasks::Status::completed) out += R"(,"result":)" + task.result;
  if (task.status == tasks::Status::failed) out += R"(,"error":)" + task.error;
  if (task.status == tasks::Status::input_required) {
    out += R"(,"inputRequests":{)";
    for (const auto& [key, request] : task.requests) {
      append_json_key(out, key);
      out += request;
    }
    out += '}';
  }
  return out;
}

}  // namespace

std::string Renderer::created_task(const Json& id, const tasks::Task& task) const {
  std::string out = begin_result(id, 512);
  out += R"("resultType":"task",)" + task_head(task) + ',' + modern_meta_ + "}}}";
  return out;
}

std::string Renderer::task(const Json& id, const tasks::Task& task) const {
  std::string out = begin_result(id, 512 + task.result.size());
  out += R"("resultType":"complete",)" + whole_task(task) + ',' + modern_meta_ + "}}}";
  return out;
}

std::string Renderer::task_state(const tasks::Task& task) const {
  return "{" + whole_task(task) + "}";
}

std::string Renderer::acknowledged(const Json& id) const {
  return begin_result(id, 256) + R"("resultType":"complete",)" + modern_meta_ + "}}}";
}

std::string Renderer::task_result(const pipeline::ToolAnswer& answer, std::string_view request_id) const {
  const std::string whole = tool_result(Json(0), Version::v2026_07_28, answer, request_id);
  const std::size_t from = whole.find(R"("result":)") + 9;
  return whole.substr(from, whole.size() - from - 1);
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
