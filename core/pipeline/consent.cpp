#include "pipeline/consent.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/mask.h"
#include "base/one_line.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

constexpr std::size_t kMaxShownBytes = 8u << 10;
constexpr std::size_t kMaxShownObjects = 50;
constexpr const char* kAtTheClient = "elicitation";

// For the one who decides; what is no JSON is not shown.
std::string shown(const std::string& text) {
  std::string out;
  if (const auto json = parse_trusted_json(text, 4u << 20)) append_masked_json(out, *json, kMaxShownBytes);
  return out;
}

// Caller, tool, arguments, targets and their state, policy: an approval is good for nothing else. Names and
// places are read anew, so that a VM that was renamed or moved is another one.
// `renamed`, when not null: whether one of them is called otherwise now than when it was judged.
Result<std::string> binding_of_consent(Services& services, const Walk& walk, bool* renamed = nullptr) {
  Json targets = Json::array();
  std::vector<const inventory::Object*> wholes;
  const CallLimits limits{walk.deadline - milliseconds(500), walk.context->cancel, walk.context->traceparent};
  for (const plugin_host::Target& target : walk.targets) {
    const inventory::Object& o = target.object;
    if (!o.within.empty()) {
      targets.push_back({target.pointer, o.kind, o.id, o.name, o.within});
      continue;
    }
    // get() asks vCenter now; find() may answer from names that are Limits::tree_age old.
    auto row = services.inventory.get(*walk.connection, o.kind, o.id, {}, walk.invocation.visible, limits);
    if (!row) return row.error();
    const auto now = parse_trusted_json(*row);
    if (!now) return now.error();
    wholes.push_back(&o);
    if (renamed != nullptr && (now->value("name", "") != o.name || now->value("path", "") != o.path))
      *renamed = true;
    targets.push_back({target.pointer, o.kind, o.id, now->value("name", ""), now->value("path", "")});
  }
  if (!wholes.empty()) {
    const inventory::FactsWanted wanted{.power = true};
    auto facts = services.inventory.facts(*walk.connection, wholes, wanted, limits);
    if (!facts) return facts.error();
    for (const inventory::Facts& fact : *facts) targets.push_back(fact.power.value_or("-"));
  }
  const Principal& caller = *walk.context->principal;
  const Json all{caller.identity,
                 caller.role,
                 walk.call.name,
                 walk.tool->plugin_label,
                 walk.plugin_args,
                 walk.host.reason,
                 walk.connection != nullptr ? walk.connection->name() : std::string(),
                 std::move(targets),
                 walk.policy->version()};
  return to_hex(sha256(dump_json(all)));
}

// What the tool itself says that it would do, read from live state; the walk is as it was afterwards.
std::string live_preview(Services& services, Walk& walk) {
  if (!walk.tool->changes()) return {};  // it would be the very thing that waits
  const plugin_host::Invocation before = walk.invocation;
  const std::string task = walk.task;
  const bool as_task = std::exchange(walk.call.as_task, false);  // a preview is not parked
  walk.host.dry_run = true;
  const auto done = execute(services, walk);
  std::string out = done ? std::move(walk.invocation.structured)
                         : dump_json(Json{{"no_preview", mask_text(done.error().text)}});
  walk.host.dry_run = false;
  walk.invocation = before;
  walk.call.as_task = as_task;
  walk.task = task;
  return out;
}

Error with(Error error, const Walk& walk) {
  if (error.rule.empty()) error.rule = walk.consent_rule;
  return error;
}

std::string place(const plugin_host::Target& target) {
  return one_line(target.object.kind + " '" + target.object.name + "' (" + target.object.id + ") in " +
                  target.object.vcenter);
}

// One line of the form. A part that is not there must not be agreed to unseen.
std::string line(const char* label, const std::string& json) {
  const std::string text = shown(json);
  if (text.empty()) return {};
  return std::string("\n") + label + one_line(text) +
         (json.size() > kMaxShownBytes ? " (not all is shown)" : "");
}

// What the person sees: who wants what, on which objects, and what it would do to them as they are now.
std::string form(Services& services, Walk& walk) {
  const Principal& caller = *walk.context->principal;
  std::string message = "May '" + walk.tool->name + "' run?\nCaller: " + caller.identity + " (role " +
                        caller.role + ")\nRule: " + walk.consent_rule;
  const std::size_t named = std::min(walk.targets.size(), kMaxShownObjects);
  for (std::size_t i = 0; i < named; ++i) message += "\nOn: " + place(walk.targets[i]);
  if (named < walk.targets.size())
    message += "\nAnd on " + std::to_string(walk.targets.size() - named) + " more objects";
  message += line("Arguments: ", walk.args_text) + line("Preview: ", live_preview(services, walk));
  const Json approve{{"type", "boolean"},
                     {"title", "Approve"},
                     {"description", "true: this call runs once, on these objects as they are now."}};
  return dump_json(Json{{"method", "elicitation/create"},
                        {"params",
                         {{"message", message},
                          {"requestedSchema",
                           {{"type", "object"},
                            {"properties", {{"approve", approve}}},
                            {"required", Json::array({"approve"})}}}}}});
}

// An ElicitResult: only an explicit yes is one.
bool agreed(const std::string& answer) {
  const auto result = parse_trusted_json(answer, kMaxShownBytes);
  if (!result || !result->is_object() || result->value("action", Json()) != "accept") return false;
  const auto content = result->find("content");
  return content != result->end() && content->is_object() && content->value("approve", Json()) == true;
}

Result<approvals::Approval> note_down(Services& services, Walk& walk, std::string binding) {
  approvals::Approval draft;
  draft.identity = walk.context->principal->identity;
  draft.role = walk.context->principal->role;
  draft.tool = walk.call.name;
  draft.arguments = shown(walk.args_text);
  for (const plugin_host::Target& target : walk.targets) draft.targets.push_back(place(target));
  draft.preview = shown(live_preview(services, walk));
  draft.rule = walk.consent_rule;
  draft.binding = std::move(binding);
  return services.approvals.ask(std::move(draft));
}

}  // namespace

Result<void> need_approval(Services& services, Walk& walk) {
  auto binding = binding_of_consent(services, walk);
  if (!binding) return binding.error();
  if (const auto known = services.approvals.find(*binding)) {
    if (known->state == approvals::State::approved) {
      walk.approval = std::move(*binding);
      return {};
    }
    if (known->state == approvals::State::denied)
      return with(make_error(Code::denied,
                             "Nothing was changed: " + known->by + " denied this call (" + known->id + ")" +
                                 (known->reason.empty() ? "" : ": " + known->reason) + ". Do not repeat it."),
                  walk);
  }
  const auto asked = note_down(services, walk, std::move(*binding));
  if (!asked) return with(asked.error(), walk);
  Error error = make_error(Code::needs_confirm,
                           "Nothing was changed: somebody else must approve this call. It waits as " +
                               asked->id + " until " + iso8601(asked->expires) +
                               "; the operator decides with `vsphere-mcp-pro approve " + asked->id +
                               "`. Tell the person, then repeat the very same call.");
  return with(std::move(error), walk);
}

bool may_ask_client(const Walk& walk) {
  return walk.call.feature == Feature::tool && walk.call.client_side.can.contains("elicitation.form");
}

Result<void> ask_client(Services& services, Walk& walk) {
  if (!walk.consent_asked.empty() && !agreed(walk.consent_answer))
    return with(make_error(Code::denied,
                           "Nothing was changed: the person at the client did not agree to this call. Do not "
                           "repeat it unless they ask for it."),
                walk);
  bool renamed = false;
  auto binding = binding_of_consent(services, walk, &renamed);
  if (!binding) return binding.error();
  if (renamed) {  // the rules judged, and the person would be shown, what it was called before
    services.inventory.changed(*walk.connection);
    return with(
        make_error(Code::needs_confirm,
                   "Nothing was changed: an object of this call has just been renamed or moved. Repeat "
                   "the call to ask anew."),
        walk);
  }
  const std::string& given = walk.consent_asked.empty() ? walk.elicited : walk.consent_asked;
  if (given == *binding) {
    walk.elicited = std::move(*binding);
    return {};
  }
  // Not asked yet, or about objects or a policy that have changed since: then about what is so now.
  walk.answer.requests.emplace(kConsentKey, form(services, walk));
  SealedRound next;
  next.keys = {kConsentKey};
  next.consent = std::move(*binding);
  next.asks_consent = true;
  walk.answer.request_state = services.rounds.close(next, binding_of(walk));
  return {};
}

std::string state_of_approval(Services& services, const Walk& walk) {
  const auto binding = binding_of_consent(services, walk);
  if (!binding) return mask_text(binding.error().text);
  const auto known = services.approvals.find(*binding);
  if (!known) return "somebody else would have to approve it; it was not asked yet";
  if (known->state == approvals::State::approved) return "approved";
  if (known->state == approvals::State::denied) return "denied by " + known->by;
  return "it waits for approval as " + known->id;
}

Result<void> use_approval(Services& services, Walk& walk) {
  if (walk.approval.empty() && walk.elicited.empty()) return {};
  auto binding = binding_of_consent(services, walk);
  if (!binding) return binding.error();
  // Asked under one policy, run under another: what is said now counts.
  if (services.policy.now()->version() != walk.policy->version())
    return with(
        make_error(Code::needs_confirm,
                   "Nothing was changed: the policy was replaced meanwhile, so that the approval is void. "
                   "Repeat the call to ask anew."),
        walk);
  if (walk.approval.empty()) {
    if (*binding != walk.elicited)
      return with(make_error(Code::needs_confirm,
                             "Nothing was changed: the objects are no longer as they were when the person at "
                             "the client agreed. Repeat the call to ask anew."),
                  walk);
    walk.approver = kAtTheClient;
    return {};
  }
  auto used = services.approvals.use(*binding);
  if (!used) return with(used.error(), walk);
  walk.approver = used->by;
  walk.approval_id = used->id;
  return {};
}

}  // namespace vmcp::pipeline
