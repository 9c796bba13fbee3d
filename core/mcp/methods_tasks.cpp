// The tasks extension: tools/call that becomes a task, tasks/get, tasks/update, tasks/cancel.
#include "mcp/client_side.h"
#include "mcp/dispatch.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxTaskInputs = 16;

}  // namespace

bool Dispatcher::run_as_task(const Work& work, pipeline::ToolCall& call) const {
  const tools::ToolPtr tool = desk_.pipeline.find_tool(*work.carrier.context, call.name);
  if (!tool || tool->task == tools::Tool::Task::never) return false;
  if (!call.client_side.can.contains("tasks")) {
    if (tool->task == tools::Tool::Task::optional) return false;
    Error error =
        make_error(Code::client_lacks, "'" + tool->name + "' runs as a task only: declare the extension " +
                                           std::string(kTasksExtension) + ".");
    error.rule = "tasks";
    refuse(work, error);
    return true;
  }
  // What it asks first is asked while the client waits; the round after that is the task's.
  if (tool->asks_first && call.request_state.empty() && call.inputs.empty()) return false;
  auto task = desk_.tasks.begin(work.carrier.context, std::move(call));
  if (!task)
    refuse(work, task.error());
  else
    work.reply(Reply{200, desk_.renderer.created_task(*work.message.id, *task), {}});
  return true;
}

bool Dispatcher::run_task_method(const Work& work) const {
  const std::string_view method = work.message.method;
  if (!is_modern(work.version) ||
      (method != "tasks/get" && method != "tasks/update" && method != "tasks/cancel"))
    return false;
  if (throttled(work)) return true;
  const Json* meta = meta_of(work.message.params);
  if (!client_can((*meta)[kMetaCapabilities], work.version).contains("tasks")) {
    Error error = make_error(
        Code::client_lacks, "Declare the extension " + std::string(kTasksExtension) + " to work with tasks.");
    error.rule = "tasks";
    refuse(work, error);
    return true;
  }
  const std::string* id = string_member(work.message.params, "taskId");
  const Principal& caller = *work.carrier.context->principal;
  const Json& request = *work.message.id;
  const auto unknown = [&] {
    refuse(work, Refusal::bad_params,
           "Invalid params: there is no such task of yours; it may have been forgotten after its time.");
  };
  if (id == nullptr) {
    refuse(work, Refusal::bad_params, "Invalid params: \"taskId\" must be the id that tools/call gave out.");
  } else if (method == "tasks/get") {
    if (const auto task = desk_.tasks.get(*id, caller))
      work.reply(Reply{200, desk_.renderer.task(request, *task), {}});
    else
      unknown();
  } else if (method == "tasks/cancel") {
    const bool known = desk_.tasks.cancel(*id, caller);
    desk_.pipeline.record(*work.carrier.context, "task/" + id->substr(0, 64), known);
    if (known)
      work.reply(Reply{200, desk_.renderer.acknowledged(request), {}});
    else
      unknown();
  } else {
    const auto inputs = work.message.params->find("inputResponses");
    std::map<std::string, std::string> given;
    if (inputs == work.message.params->end() || !inputs->is_object() || inputs->size() > kMaxTaskInputs) {
      refuse(work, Refusal::bad_params,
             "Invalid params: \"inputResponses\" must be an object with the answers.");
      return true;
    }
    for (const auto& [key, value] : inputs->items())
      if (value.is_object()) given.emplace(key, dump_json(value));
    const bool known = desk_.tasks.update(*id, caller, std::move(given));
    desk_.pipeline.record(*work.carrier.context, "task/" + id->substr(0, 64), known);
    if (known)
      work.reply(Reply{200, desk_.renderer.acknowledged(request), {}});
    else
      unknown();
  }
  return true;
}

}  // namespace vmcp::mcp
