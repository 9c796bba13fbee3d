// How tools end whose change is a vCenter task.
#pragma once

#include <string>
#include <utility>
#include "common/json.h"

#include "common/change.h"

namespace vmcp::plugins {

// Ends the first round: the task is to be followed. A task that cannot be followed is as good as one that
// runs on.
inline status follow(call& c, const reply& started, json result, const std::string& what,
                     const std::string& how_to_look, std::string_view state = {}) {
  const std::string id = moref(parse(started));
  if (id.empty()) return still_running(c, std::move(result), what, how_to_look);
  return c.wait_for(id, state);
}

// The task that a later round is about. Without one (the host lost sight of it) it counts as running:
// starting it again could do the change twice.
inline task_info task_of(const call& c) {
  return awaited_task(c).value_or(task_info{});
}

// The answer while the task goes on after the deadline.
inline status task_still_running(call& c, json result, const task_info& task, const std::string& what,
                                 const std::string& how_to_look) {
  if (task.id.empty()) return still_running(c, std::move(result), what, how_to_look);
  result["task"] = task.id;
  return still_running(c, std::move(result), what + " (" + task.id + ")", how_to_look);
}

// Ends a call whose task failed: nothing, or not all, was done.
inline status fail_task(call& c, const task_info& task, const std::string& what) {
  const bool denied = task.fault == "NoPermission";
  reply failed;
  failed.status = denied ? status::denied : status::conflict;
  failed.json = json{{"_typeName", task.fault}}.dump();
  failed.error = what + " failed in vCenter (" + task.id + "): " + task.error;
  return fail_change(c, failed);
}

}  // namespace vmcp::plugins
