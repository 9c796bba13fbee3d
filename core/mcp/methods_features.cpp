// Resources, prompts and completion: the same in both eras but for names of errors.
#include "mcp/client_side.h"
#include "mcp/dispatch.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxCursor = 1024;
constexpr std::size_t kMaxUri = 2048;
constexpr std::size_t kMaxPromptName = 128;
constexpr std::size_t kMaxTyped = 1024;

// Not found has a code of its own in the handshake era, and names the URI in both.
Fault feature_fault(const Error& error, Version version, const std::string& uri) {
  Fault fault = fault_of(error);
  if (!is_modern(version) && fault.status == 400) fault.status = 200;
  if (error.code == Code::not_found && !uri.empty()) {
    if (!is_modern(version)) fault.code = -32002;
    fault.data = R"({"uri":)";
    append_json_string(fault.data, uri);
    fault.data += '}';
  }
  return fault;
}

}  // namespace

bool Dispatcher::read_cursor(const Work& work, std::string_view& cursor) const {
  if (work.message.params == nullptr || !work.message.params->contains("cursor")) return true;
  const std::string* given = string_member(work.message.params, "cursor");
  if (given == nullptr || given->size() > kMaxCursor) {
    refuse(work, Refusal::bad_params, "Invalid params: \"cursor\" must be a nextCursor of this server.");
    return false;
  }
  cursor = *given;
  return true;
}

bool Dispatcher::run_feature(const Work& work) const {
  const std::string_view method = work.message.method;
  if (method == "resources/read") return read_resource(work), true;
  if (method == "prompts/get") return get_prompt(work), true;
  if (method == "completion/complete") return complete(work), true;
  pipeline::List what = pipeline::List::resources;
  if (method == "resources/templates/list")
    what = pipeline::List::templates;
  else if (method == "prompts/list")
    what = pipeline::List::prompts;
  else if (method != "resources/list")
    return false;
  if (!throttled(work)) list_features(work, what);
  return true;
}

void Dispatcher::list_features(const Work& work, pipeline::List what) const {
  std::string_view cursor;
  if (!read_cursor(work, cursor)) return;
  auto page = desk_.pipeline.list(*work.carrier.context, what, cursor, desk_.settings.page_size);
  if (page)
    return work.reply(Reply{200, desk_.renderer.page(*work.message.id, work.version, what, *page), {}});
  if (page.error().code == Code::malformed)
    return refuse(work, Refusal::bad_params, "Invalid params: " + page.error().text);
  refuse(work, page.error());
}

void Dispatcher::read_resource(const Work& work) const {
  const std::string* uri = string_member(work.message.params, "uri");
  if (uri == nullptr || uri->empty() || uri->size() > kMaxUri)
    return refuse(work, Refusal::bad_params,
                  "Invalid params: resources/read needs \"uri\", at most 2048 bytes.");
  pipeline::ToolCall call;
  call.feature = pipeline::Feature::resource;
  call.name = *uri;
  ask_feature(work, std::move(call));
}

void Dispatcher::get_prompt(const Work& work) const {
  const std::string* name = string_member(work.message.params, "name");
  if (name == nullptr || name->empty() || name->size() > kMaxPromptName)
    return refuse(work, Refusal::bad_params,
                  "Invalid params: prompts/get needs \"name\", the name of a prompt.");
  pipeline::ToolCall call;
  call.feature = pipeline::Feature::prompt;
  call.name = *name;
  if (const auto arguments = work.message.params->find("arguments");
      arguments != work.message.params->end()) {
    if (!arguments->is_object())
      return refuse(work, Refusal::bad_params, "Invalid params: \"arguments\" must be an object of texts.");
    call.arguments = std::move(*arguments);
  }
  ask_feature(work, std::move(call));
}

void Dispatcher::complete(const Work& work) const {
  const Json* params = work.message.params;
  const auto bad = [&] {
    refuse(work, Refusal::bad_params,
           "Invalid params: completion/complete needs \"ref\" ({\"type\":\"ref/prompt\",\"name\":…} or "
           "{\"type\":\"ref/resource\",\"uri\":…}) and \"argument\" ({\"name\":…,\"value\":…}).");
  };
  if (params == nullptr || !params->contains("ref") || !params->contains("argument")) return bad();
  const Json& ref = (*params)["ref"];
  const Json& argument = (*params)["argument"];
  if (!ref.is_object() || !argument.is_object()) return bad();
  const std::string* type = string_member(&ref, "type");
  const std::string* prompt = string_member(&ref, "name");
  const std::string* uri = string_member(&ref, "uri");
  const std::string* name = string_member(&argument, "name");
  const std::string* value = string_member(&argument, "value");
  if (type == nullptr || name == nullptr || value == nullptr || value->size() > kMaxTyped) return bad();
  pipeline::ToolCall call;
  call.feature = pipeline::Feature::completion;
  if (*type == "ref/prompt" && prompt != nullptr && prompt->size() <= kMaxPromptName)
    call.name = "prompt/" + *prompt;
  else if (*type == "ref/resource" && uri != nullptr && uri->size() <= kMaxUri)
    call.name = "resource/" + *uri;
  else
    return bad();
  call.arguments = {{"name", *name}, {"value", *value}};
  if (const auto context = params->find("context"); context != params->end() && context->is_object())
    if (const auto given = context->find("arguments"); given != context->end() && given->is_object())
      call.arguments["context"] = *given;
  ask_feature(work, std::move(call));
}

void Dispatcher::ask_feature(const Work& work, pipeline::ToolCall call) const {
  if (!client_side(work, call.client_side)) return;
  if (is_modern(work.version)) {
    call.client = client_of(meta_of(work.message.params));
    if (call.feature != pipeline::Feature::completion && !read_rounds(work, call)) return;
  }
  const bool completion = call.feature == pipeline::Feature::completion;
  const pipeline::Feature feature = call.feature;
  const std::string uri = feature == pipeline::Feature::resource ? call.name : std::string();
  auto done = [&renderer = desk_.renderer, id = *work.message.id, version = work.version, feature, uri,
               reply = work.reply, wider = wider_token(work)](pipeline::ToolAnswer&& answer) {
    if (answer.is_error && !answer.protocol)
      answer.protocol = make_error(answer.code, answer.texts.empty() ? std::string() : answer.texts.front());
    if (answer.protocol) {
      Fault fault = feature_fault(*answer.protocol, version, uri);
      wider.offer(answer.protocol->scope.empty() ? answer.scope : answer.protocol->scope, fault);
      reply(Reply{fault.status, renderer.error(&id, fault), std::move(fault.headers)});
    } else if (!answer.requests.empty()) {
      reply(Reply{200, renderer.input_required(id, answer), {}});
    } else {
      reply(Reply{200, renderer.feature_result(id, version, feature, answer), {}});
    }
  };
  if (is_modern(work.version) || completion)
    desk_.pipeline.call_tool(work.carrier.context, std::move(call), work.carrier.exchange, std::move(done));
  else
    desk_.bridge.call(work.carrier.context, std::move(call), work.carrier.exchange, work.carrier.session,
                      work.carrier.outlet, std::move(done));
}

}  // namespace vmcp::mcp
