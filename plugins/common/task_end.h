// How tools end whose change is a vCenter task.
#pragma once

#include <string>
#include <utility>
#include <vmcp/json.hpp>

#include "common/change.h"

namespace vmcp::plugins {

// The answer while the task goes on after the deadline.
inline status task_still_running(call& c, json result, const task_info& task, const std::string& what,
                                 const std::string& how_to_look) {
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
