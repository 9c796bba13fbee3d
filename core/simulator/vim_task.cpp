#include "simulator/vim.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

const Task& task(const Subject& s) {
  return s.as<Task>();
}
Task::State state(const Subject& s) {
  return task(s).state(s.now());
}

const Node kReason[] = {
    leaf("userName", "string", [](Out& o, const Subject& s) { return put(o, task(s).user); })};

const Node kTaskInfo[] = {
    leaf("key", "string", [](Out& o, const Subject& s) { return put(o, task(s).id); }),
    leaf("task", "ManagedObjectReference", [](Out& o, const Subject& s) { return put_moref(o, s.entity); }),
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, task(s).name); }),
    leaf("descriptionId", "string", [](Out& o, const Subject& s) { return put(o, task(s).description_id); }),
    leaf("entity", "ManagedObjectReference",
         [](Out& o, const Subject& s) { return put_moref(o, task(s).entity_type, task(s).entity_id); }),
    leaf("entityName", "string", [](Out& o, const Subject& s) { return put(o, task(s).entity_name); }),
    leaf("state", "TaskInfoState", [](Out& o, const Subject& s) { return put(o, vim_name(state(s))); }),
    leaf("cancelled", "boolean", [](Out& o, const Subject& s) { return put(o, task(s).cancelled); }),
    leaf("cancelable", "boolean", [](Out& o, const Subject& s) { return put(o, task(s).cancelable); }),
    leaf("error", "LocalizedMethodFault",
         [](Out& o, const Subject& s) {
           return state(s) == Task::State::error && put_json(o, localized_fault(*task(s).failure));
         }),
    leaf("result", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           return state(s) == Task::State::success && !task(s).result.is_null() &&
                  put_json(o, task(s).result);
         }),
    leaf("progress", "int",
         [](Out& o, const Subject& s) {
           return state(s) == Task::State::running && put(o, task(s).progress(s.now()));
         }),
    structure("reason", "TaskReasonUser", kReason),
    leaf("queueTime", "dateTime", [](Out& o, const Subject& s) { return put_time(o, task(s).queued); }),
    leaf("startTime", "dateTime",
         [](Out& o, const Subject& s) {
           return state(s) != Task::State::queued && put_time(o, task(s).start);
         }),
    leaf("completeTime", "dateTime",
         [](Out& o, const Subject& s) { return task(s).settled && put_time(o, task(s).end); }),
    leaf("eventChainId", "int", [](Out& o, const Subject& s) { return put(o, task(s).chain); }),
    absent("activationId changeTag description locked parentTaskKey progressDetails rootTaskKey"),
};

const Node kTask[] = {
    structure("info", "TaskInfo", kTaskInfo),
    absent("availableField value"),
};

}  // namespace

std::span<const Node> task_nodes() {
  return kTask;
}

VimAnswer vim_cancel_task(VimCall& call) {
  Task& target = static_cast<Task&>(*call.target);
  if (target.user != call.user().domain_name() && !holds(call.user(), "Global.CancelTask")) {
    return VimAnswer::fault(no_permission(target, "Global.CancelTask"));
  }
  if (const auto failure = call.world.tasks.cancel(target, call.world.now)) return VimAnswer::fault(*failure);
  return VimAnswer::nothing();
}

}  // namespace vmcp::simulator
