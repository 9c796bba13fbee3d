// What tools that change something have in common: the words of their results, refusals and previews.
#pragma once

#include <string>
#include <utility>
#include "common/json.h"

#include "common/answer.h"

namespace vmcp::plugins {

// The virtual machine that vm_id was resolved to: {"id":…,"name":…,"path":…}.
inline json vm_of(const call& c, const args& a) {
  json out{{"id", a.text("vm_id")}};
  if (const auto found = c.target("/vm_id")) {
    if (!found->name.empty()) out["name"] = std::string(found->name);
    if (!found->path.empty()) out["path"] = std::string(found->path);
  }
  return out;
}

// How a message names it: "ledger-db (vm-42)".
inline std::string label(const json& object) {
  const std::string id = object.value("id", ""), name = object.value("name", "");
  return name.empty() ? id : name + " (" + id + ")";
}

// The answer of a change that is done, or that there was nothing to do for.
inline status completed(call& c, json result, bool changed, std::string message) {
  result["state"] = "completed";
  result["changed"] = changed;
  result["message"] = std::move(message);
  return answer(c, "result", std::move(result));
}

// The answer when time ran out before vCenter told the end. The change may have happened or may still happen:
// that is no failure, and it must not be repeated blindly.
inline status still_running(call& c, json result, const std::string& what, const std::string& how_to_look) {
  result["state"] = "running";
  result["message"] = what +
                      " was not confirmed before the time of this call ran out; vCenter may go on with it. " +
                      how_to_look + " before you repeat it.";
  return answer(c, "result", std::move(result));
}

// What to do about vCenter's own kinds of refusal; empty for those that its words explain.
inline std::string advice(const reply& failed) {
  const std::string type = error_type(failed);
  if (type == "RESOURCE_BUSY" || type == "TaskInProgress")
    return "Another operation on this virtual machine is running: wait for it, then try again.";
  if (type == "UNABLE_TO_ALLOCATE_RESOURCE" || type == "InsufficientResourcesFault")
    return "The host or cluster has too little free CPU, memory or storage for it: free some, or ask an "
           "administrator.";
  if (type == "RESOURCE_INACCESSIBLE")
    return "Its files or its host cannot be reached now: check its host and datastore.";
  if (type == "RESOURCE_IN_USE") return "One of its resources is in use elsewhere: release that first.";
  if (type == "UNSUPPORTED" || type == "NotSupported")
    return "This virtual machine does not support it (a template or a fault-tolerance secondary never does).";
  return {};
}

// Ends a changing tool whose request failed.
inline status fail_change(call& c, const reply& failed) {
  return c.fail(failed, advice(failed));
}

// A preview as vmcp/preview.h wants it.
inline status preview_answer(call& c, std::string action, json target, json before, json after,
                             json warnings) {
  return c.json(json{{"action", std::move(action)},
                     {"target", std::move(target)},
                     {"before", std::move(before)},
                     {"after", std::move(after)},
                     {"warnings", std::move(warnings)}});
}

}  // namespace vmcp::plugins
