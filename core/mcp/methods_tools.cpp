// tools/list and tools/call.
#include "mcp/client_side.h"
#include "mcp/dispatch.h"
#include "mcp/header_check.h"
#include "mcp/notifications.h"
#include "tools/schema.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxToolName = 128;
constexpr std::size_t kMaxInputs = 16;

}  // namespace

void Dispatcher::list_tools(const Work& work) const {
  std::string_view cursor;
  if (!read_cursor(work, cursor)) return;
  auto page = desk_.pipeline.list_tools(*work.carrier.context, cursor, desk_.settings.page_size);
  if (page)
    return work.reply(Reply{200, desk_.renderer.tool_list(*work.message.id, work.version, *page), {}});
  if (page.error().code == Code::malformed)
    return refuse(work, Refusal::bad_params, "Invalid params: " + page.error().text);
  refuse(work, page.error());
}

// Who can be asked what, and how a running call reaches the client. False: refused.
bool Dispatcher::client_side(const Work& work, pipeline::ClientSide& side) const {
  const Json* meta = meta_of(work.message.params);
  int level = -1;
  if (is_modern(work.version)) {
    side.can = client_can((*meta)[kMetaCapabilities], work.version);
    if (const auto given = meta->find(kMetaLogLevel); given != meta->end()) {
      level = given->is_string() ? log_level_of(given->get_ref<const std::string&>()) : -1;
      if (level < 0) {
        refuse(work, Refusal::bad_params, "Invalid params: the log level in _meta is none of MCP's eight.");
        return false;
      }
    }
  } else if (work.carrier.session) {
    level = work.carrier.session->log_level();
    // What cannot be streamed cannot be asked.
    if (work.carrier.outlet && work.carrier.outlet->can_stream()) side.can = work.carrier.session->can;
  }
  if (work.carrier.outlet) connect(side, meta, level, work.carrier.outlet);
  return true;
}

// A later round: requestState and inputResponses. False: refused.
bool Dispatcher::read_rounds(const Work& work, pipeline::ToolCall& call) const {
  const Json& params = *work.message.params;
  if (const auto state = params.find("requestState"); state != params.end()) {
    if (!state->is_string() || state->get_ref<const std::string&>().empty()) {
      refuse(work, Refusal::bad_params,
             "Invalid params: \"requestState\" must be the string that this server gave out.");
      return false;
    }
    call.request_state = state->get<std::string>();
  }
  const auto inputs = params.find("inputResponses");
  if (inputs == params.end()) return true;
  if (!inputs->is_object() || inputs->size() > kMaxInputs) {
    refuse(
        work, Refusal::bad_params,
        "Invalid params: \"inputResponses\" must be an object with an answer for each key that was asked.");
    return false;
  }
  for (const auto& [key, value] : inputs->items())
    if (value.is_object()) call.inputs.emplace(key, dump_json(value));
  return true;
}

bool Dispatcher::read_call(const Work& work, pipeline::ToolCall& call) const {
  Json* params = work.message.params;
  const std::string* name = string_member(params, "name");
  if (name == nullptr || name->empty() || name->size() > kMaxToolName) {
    refuse(work, Refusal::bad_params, "Invalid params: tools/call needs \"name\", the name of a tool.");
    return false;
  }
  const auto arguments = params->find("arguments");
  if (arguments != params->end() && !arguments->is_object()) {
    refuse(work, Refusal::bad_params, "Invalid params: \"arguments\" must be an object.");
    return false;
  }
  call.name = *name;
  if (arguments != params->end()) call.arguments = std::move(*arguments);
  if (!is_modern(work.version)) return client_side(work, call.client_side);
  call.client = client_of(meta_of(params));
  const tools::ToolPtr tool = desk_.pipeline.find_tool(*work.carrier.context, call.name);
  if (work.carrier.inbound.mirrors_headers() && tool && tool->input &&
      !tool->input->header_params().empty()) {
    std::string why = check_param_headers(work.carrier.inbound, tool->input->header_params(), call.arguments);
    if (!why.empty()) {
      refuse(work, Refusal::header_mismatch, "Header mismatch: " + why + ".");
      return false;
    }
  }
  return client_side(work, call.client_side) && read_rounds(work, call);
}

void Dispatcher::call_tool(const Work& work) const {
  pipeline::ToolCall call;
  if (!read_call(work, call)) return;
  if (is_modern(work.version) && run_as_task(work, call)) return;
  const pipeline::ContextPtr& context = work.carrier.context;
  const SessionPtr& session = work.carrier.session;
  std::string running;
  if (session) {
    running = dump_json(*work.message.id);
    session->begin(running, context->cancel);
  }
  // The answer may come on the watch thread, after the parsed message is gone: everything is held by value.
  auto done = [&renderer = desk_.renderer, id = *work.message.id, version = work.version, context, session,
               running = std::move(running), reply = work.reply,
               wider = wider_token(work)](pipeline::ToolAnswer&& answer) {
    if (session) session->end(running);
    if (answer.protocol) {
      Fault fault = fault_of(*answer.protocol);
      if (!is_modern(version) && fault.status == 400) fault.status = 200;
      reply(Reply{fault.status, renderer.error(&id, fault), std::move(fault.headers)});
    } else if (!answer.requests.empty()) {
      reply(Reply{200, renderer.input_required(id, answer), {}});
    } else {
      if (answer.is_error && !answer.scope.empty()) {
        Fault fault = fault_of(make_error(answer.code, answer.texts.front()));
        if (wider.offer(answer.scope, fault))
          return reply(Reply{fault.status, renderer.error(&id, fault), std::move(fault.headers)});
      }
      reply(Reply{200, renderer.tool_result(id, version, answer, context->request_id), {}});
    }
  };
  if (is_modern(work.version))
    desk_.pipeline.call_tool(context, std::move(call), work.carrier.exchange, std::move(done));
  else
    desk_.bridge.call(context, std::move(call), work.carrier.exchange, session, work.carrier.outlet,
                      std::move(done));
}

}  // namespace vmcp::mcp
