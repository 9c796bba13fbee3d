#include "pipeline/consent.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

Error no_confirmation(const Walk& walk) {
  std::string what;
  for (const plugin_host::Target& target : walk.targets) {
    if (!what.empty()) what += ", ";
    what += target.object.kind + " '" + target.object.name + "' (" + target.object.id + ")";
    if (what.size() > 512) break;
  }
  Error error =
      make_error(Code::needs_confirm,
                 "Nothing was changed: '" + walk.tool->name + "' needs confirm=true" +
                     (what.empty() ? std::string() : " for " + what) +
                     ". Show dry_run=true to the person first, then repeat the call with confirm=true.");
  error.rule = walk.consent_rule.empty() ? "confirm" : walk.consent_rule;
  return error;
}

}  // namespace

Result<void> confirm(Services& services, Walk& walk) {
  if (walk.consent != policy::Consent::elicit)
    walk.elicited.clear();  // of an earlier round, under another policy
  // A preview asks nobody; what only reads has none, and would run.
  if (walk.consent == policy::Consent::none || (walk.host.dry_run && walk.tool->changes())) return {};
  // What a person at the client agrees to cannot be told apart from what the model makes up, unless the host
  // asks itself; where it cannot, somebody else decides.
  if (walk.consent == policy::Consent::elicit && may_ask_client(walk)) return ask_client(services, walk);
  if (walk.consent >= policy::Consent::elicit) return need_approval(services, walk);
  if (walk.host.confirm) return {};
  return no_confirmation(walk);
}

Result<void> take_slot(Services& services, Walk& walk) {
  const tools::Tool& tool = *walk.tool;
  if (tool.no_upstream) {  // runs inline on a socket worker: it may not wait here
    auto permit = services.slots.try_acquire(tool.name, tool.max_parallel, {});
    if (!permit) return permit.error();
    walk.permit = std::move(*permit);
    return use_approval(services, walk);
  }
  const CallLimits limits{walk.deadline - milliseconds(500), walk.context->cancel};
  const std::string& slot = walk.call.feature == Feature::tool ? tool.name : tool.plugin_label;
  auto permit =
      services.slots.acquire(walk.context->principal->identity, slot, tool.max_parallel,
                             walk.connection != nullptr ? walk.connection->name() : std::string(), limits);
  if (!permit) return permit.error();
  walk.permit = std::move(*permit);
  if (auto r = walk.lock.check(); !r) return r;
  if (walk.context->cancel.cancelled())
    return make_error(Code::cancelled, "The call was cancelled while it waited.");
  return use_approval(services, walk);
}

}  // namespace vmcp::pipeline
