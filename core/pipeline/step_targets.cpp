#include "pipeline/sight.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

using plugin_host::Target;

// A part, such as a snapshot, is where its whole is; that is a target of the same call and judged itself.
std::vector<const inventory::Object*> judged_objects(const Walk& walk) {
  std::vector<const inventory::Object*> out;
  for (const Target& target : walk.targets)
    if (target.object.within.empty()) out.push_back(&target.object);
  return out;
}

// As rules see them: with ids for names, with the host's own arguments, and of a vCenter's many names the
// configured one.
Json judged_arguments(const Walk& walk) {
  Json out = walk.call.arguments;
  if (!out.is_object()) out = Json::object();
  if (!walk.host.hostname.empty())
    out[tools::kHostname] = walk.connection != nullptr ? walk.connection->name() : walk.host.hostname;
  if (!walk.host.reason.empty()) out["reason"] = walk.host.reason;
  if (walk.host.confirm) out["confirm"] = true;
  if (walk.host.dry_run) out["dry_run"] = true;
  return out;
}

// What stands for an argument that was left out.
Json judged_defaults(const Walk& walk) {
  Json out = walk.tool->defaults;
  if (walk.connection != nullptr) out[tools::kHostname] = walk.connection->name();
  return out;
}

CallLimits limits_of(const Walk& walk) {
  return {walk.deadline - milliseconds(500), walk.context->cancel, walk.context->traceparent};
}

Error refusal(const policy::Decision& decision) {
  Error error = make_error(Code::denied, decision.reason);
  error.rule = decision.rule;
  error.scope = decision.wider_role;
  return error;
}

}  // namespace

Result<void> look(Services& services, Walk& walk) {
  walk.invocation.visible = [](const inventory::Object&) { return false; };
  if (walk.connection == nullptr) return {};
  auto visible = sight(walk.policy, *walk.context->principal, services.clock.wall(), services.inventory,
                       *walk.connection, limits_of(walk));
  if (!visible) return visible.error();
  walk.invocation.visible = std::move(*visible);
  return {};
}

Result<policy::Judgement> judge_walk(Services& services, const Walk& walk, policy::Notes* notes) {
  static const Json kNoArguments = Json::object();
  const Principal& caller = *walk.context->principal;
  const std::string name = policy_name(walk.call.feature, walk.call.name);
  const policy::ToolFacts tool{name, walk.tool->changes()};
  const std::vector<const inventory::Object*> objects = judged_objects(walk);
  std::vector<inventory::Facts> facts;
  if (const auto wanted = walk.policy->facts_for(caller, tool); !wanted.none() && !objects.empty()) {
    auto read = services.inventory.facts(*walk.connection, objects, wanted, limits_of(walk));
    if (!read) {
      Error error =
          make_error(Code::unavailable, "The policy must know more of the target than could be read: " +
                                            read.error().text + " Nothing was done.");
      error.rule = "facts of the target";
      return error;
    }
    facts = std::move(*read);
  }
  std::vector<policy::Subject> subjects;
  for (std::size_t i = 0; i < objects.size(); ++i)
    subjects.push_back({objects[i], facts.empty() ? nullptr : &facts[i]});
  const bool looks = walk.policy->looks_at_arguments(caller, name);
  const Json arguments = looks ? judged_arguments(walk) : Json();
  const Json defaults = looks ? judged_defaults(walk) : Json();
  return walk.policy->judge(
      {caller, tool, walk.call.feature == Feature::tool && walk.tool->needs_confirm,
       walk.connection != nullptr ? std::string_view(walk.connection->name()) : std::string_view(),
       looks ? arguments : kNoArguments, subjects, services.clock.wall(), looks ? &defaults : &kNoArguments},
      notes);
}

Result<void> authorise_targets(Services& services, Walk& walk) {
  if (walk.targets.size() > services.settings.max_targets)
    return make_error(Code::invalid_argument, "At most " + std::to_string(services.settings.max_targets) +
                                                  " objects in one call; split it.");
  for (const Target& target : walk.targets) walk.lock.acts_on(target.object);
  const std::string name = policy_name(walk.call.feature, walk.call.name);
  if (walk.targets.empty() && !walk.policy->says_more(*walk.context->principal, name)) {
    // Step 6 has said it all.
    if (walk.call.feature == Feature::tool && walk.tool->needs_confirm)
      walk.consent = policy::Consent::confirm;
    return walk.lock.check();
  }
  auto judgement = judge_walk(services, walk, nullptr);
  if (!judgement) return judgement.error();
  if (!judgement->decision.allowed) return refusal(judgement->decision);
  walk.consent = judgement->consent;
  walk.consent_rule = std::move(judgement->consent_rule);
  return walk.lock.check();
}

Result<void> admit_targets(Services& services, Walk& walk) {
  if (auto r = authorise_targets(services, walk); !r) return r;
  return throttle_targets(services, walk);
}

}  // namespace vmcp::pipeline
