#include "plugin_host/content_rules.h"

#include "base/crypto.h"
#include "base/json.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {
namespace {

constexpr std::size_t kMaxCompletionBytes = 256 * 1024;

Error bad_block(const std::string& why) {
  return make_error(Code::invalid_argument, "the plugin's answer holds no valid content: " + why);
}
Error bad_request(const std::string& why) {
  return make_error(Code::invalid_argument, "the plugin's input request is not one: " + why);
}

const std::string* text_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? &it->get_ref<const std::string&>() : nullptr;
}

bool has_text(const Json& object, const char* key) {
  const std::string* text = text_in(object, key);
  return text != nullptr && !text->empty();
}

bool is_base64(const std::string& text) {
  std::string bytes;
  return base64_decode(text, bytes);
}

// JSON without the blanks between its tokens: what is spliced into a stream of events must have no line
// breaks. The order of members stays, which matters for forms. `json` is valid.
std::string on_one_line(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_text = false, escaped = false;
  for (const char c : json) {
    if (in_text) {
      if (escaped)
        escaped = false;
      else if (c == '\\')
        escaped = true;
      else if (c == '"')
        in_text = false;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      continue;
    } else if (c == '"') {
      in_text = true;
    }
    out.push_back(c);
  }
  return out;
}

// Empty when the contents of a resource are fit; else why not.
std::string bad_contents(const Json& contents) {
  if (!contents.is_object() || !has_text(contents, "uri")) return "contents have no uri";
  const std::string *text = text_in(contents, "text"), *blob = text_in(contents, "blob");
  if ((text == nullptr) == (blob == nullptr)) return "contents have one of text and blob";
  if (blob != nullptr && !is_base64(*blob)) return "a blob that is not base64";
  if (contents.contains("mimeType") && !has_text(contents, "mimeType")) return "a mimeType that is no text";
  return {};
}

std::string bad_content(const Json& block) {
  const std::string* type = block.is_object() ? text_in(block, "type") : nullptr;
  if (type == nullptr) return "a block has no type";
  if (*type == "text") return text_in(block, "text") != nullptr ? "" : "a text block has no text";
  if (*type == "image" || *type == "audio") {
    const std::string* data = text_in(block, "data");
    if (data == nullptr || !is_base64(*data)) return "an " + *type + " block has no base64 data";
    return has_text(block, "mimeType") ? "" : "an " + *type + " block has no mimeType";
  }
  if (*type == "resource_link")
    return has_text(block, "uri") && has_text(block, "name") ? "" : "a resource_link has no uri or no name";
  if (*type == "resource") {
    const auto resource = block.find("resource");
    return resource == block.end() ? "a resource block has no resource" : bad_contents(*resource);
  }
  return "a block's type is none of text, image, audio, resource_link, resource";
}

std::string bad_message(const Json& message) {
  const std::string* role = message.is_object() ? text_in(message, "role") : nullptr;
  if (role == nullptr || (*role != "user" && *role != "assistant"))
    return "a message's role is neither user nor assistant";
  const auto content = message.find("content");
  return content == message.end() ? "a message has no content" : bad_content(*content);
}

std::string bad_elicitation(const Json& params, std::string& need) {
  if (!has_text(params, "message")) return "an elicitation has no message";
  const std::string* mode = text_in(params, "mode");
  if (mode != nullptr && *mode == "url") {
    need = "elicitation.url";
    return has_text(params, "url") ? "" : "an elicitation of mode url has no url";
  }
  if (mode != nullptr && *mode != "form") return "an elicitation's mode is neither form nor url";
  need = "elicitation.form";
  const auto schema = params.find("requestedSchema");
  const bool is_form = schema != params.end() && schema->is_object() &&
                       schema->value("type", Json()) == Json("object") &&
                       schema->value("properties", Json()).is_object();
  return is_form ? "" : "a form's requestedSchema is no object schema with properties";
}

}  // namespace

Result<std::string> check_block(Produces produces, std::string_view json, std::size_t max_bytes) {
  const auto block = parse_trusted_json(json, max_bytes);
  if (!block) return bad_block("it is not JSON: " + block.error().text);
  std::string wrong;
  switch (produces) {
    case Produces::tool:
      wrong = bad_content(*block);
      break;
    case Produces::resource:
      wrong = bad_contents(*block);
      break;
    case Produces::prompt:
      wrong = bad_message(*block);
      break;
    case Produces::completion:
      wrong = "a completion answers through set_json";
      break;
  }
  if (!wrong.empty()) return bad_block(wrong);
  return on_one_line(json);
}

Result<InputRequest> check_input_request(std::string_view json) {
  const auto request = parse_trusted_json(json, VMCP_INPUT_MAX_BYTES);
  if (!request) return bad_request("it is not JSON: " + request.error().text);
  const std::string* method = request->is_object() ? text_in(*request, "method") : nullptr;
  const auto params = request->is_object() ? request->find("params") : request->end();
  if (method == nullptr || params == request->end() || !params->is_object())
    return bad_request("it has no method or no params object");
  InputRequest out;
  if (*method == "elicitation/create") {
    std::string need;
    if (const std::string wrong = bad_elicitation(*params, need); !wrong.empty()) return bad_request(wrong);
    out.needs.push_back(need);
  } else if (*method == "sampling/createMessage") {
    const auto messages = params->find("messages");
    if (messages == params->end() || !messages->is_array() || messages->empty())
      return bad_request("a sampling request has no messages");
    if (const auto most = params->find("maxTokens"); most == params->end() || !most->is_number_unsigned())
      return bad_request("a sampling request has no maxTokens");
    out.needs.push_back("sampling");
    if (params->contains("tools")) out.needs.push_back("sampling.tools");
  } else if (*method == "roots/list") {
    out.needs.push_back("roots");
  } else {
    return bad_request("its method is none of elicitation/create, sampling/createMessage, roots/list");
  }
  out.text = on_one_line(json);
  return out;
}

bool is_completion(std::string_view json) {
  if (json.empty()) return true;
  const auto answer = parse_trusted_json(json, kMaxCompletionBytes);
  if (!answer || !answer->is_object()) return false;
  const auto values = answer->find("values");
  if (values == answer->end() || !values->is_array() || values->size() > VMCP_COMPLETION_MAX_VALUES)
    return false;
  for (const Json& value : *values)
    if (!value.is_string()) return false;
  const auto total = answer->find("total"), more = answer->find("hasMore");
  return (total == answer->end() || total->is_number_unsigned()) &&
         (more == answer->end() || more->is_boolean());
}

}  // namespace vmcp::plugin_host
