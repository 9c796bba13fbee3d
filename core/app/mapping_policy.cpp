// The policy of a configuration.
#include "app/mapping.h"
#include "base/crypto.h"

namespace vmcp::app {
namespace {

policy::Effect effect_of(config::RuleEffect e) {
  switch (e) {
    case config::RuleEffect::allow:
      return policy::Effect::allow;
    case config::RuleEffect::deny:
      return policy::Effect::deny;
    case config::RuleEffect::unasked:
      return policy::Effect::unasked;
    case config::RuleEffect::confirm:
      return policy::Effect::confirm;
    case config::RuleEffect::elicit:
      return policy::Effect::elicit;
    case config::RuleEffect::approve:
      return policy::Effect::approve;
  }
  return policy::Effect::deny;
}

Json as_json(const policy::Rule& rule) {
  const policy::TargetCondition& t = rule.targets;
  Json arguments = Json::array();
  for (const policy::ArgumentCondition& a : rule.arguments)
    arguments.push_back({a.pointer, a.min ? Json(*a.min) : Json(), a.max ? Json(*a.max) : Json(), a.one_of,
                         a.pattern, a.required, a.forbidden});
  Json window;
  if (rule.window)
    window = {rule.window->days.to_string(), rule.window->from_min, rule.window->to_min, rule.window->zone};
  return {rule.name,     policy::effect_name(rule.effect),
          rule.roles,    rule.identities,
          rule.tools,    arguments,
          window,        t.kinds,
          t.vcenters,    t.datacenters,
          t.clusters,    t.folders,
          t.tags,        t.names,
          t.power_states};
}

}  // namespace

std::vector<policy::Rule> policy_rules(const config::Policy& c) {
  std::vector<policy::Rule> out;
  for (const config::Rule& from : c.rules) {
    policy::Rule rule;
    rule.name = from.name;
    rule.origin = from.origin;
    rule.effect = effect_of(from.effect);
    rule.roles = from.roles;
    rule.identities = from.identities;
    rule.tools = from.tools;
    for (const config::RuleArgument& a : from.arguments)
      rule.arguments.push_back({a.pointer, a.min, a.max, a.one_of, a.pattern, a.required, a.forbidden});
    rule.targets = {from.kinds,   from.vcenters, from.datacenters, from.clusters,
                    from.folders, from.tags,     from.names,       from.power_states};
    if (from.window)
      rule.window = {from.window->days, from.window->from_min, from.window->to_min, from.window->zone};
    out.push_back(std::move(rule));
  }
  return out;
}

Result<policy::PolicyPtr> make_policy(const config::Settings& c) {
  std::map<std::string, policy::RoleRules> roles = role_rules(c.auth);
  std::vector<policy::Rule> rules = policy_rules(c.policy);
  Json all = {c.policy.read_only, Json::array(), Json::array()};
  for (const auto& [name, role] : roles) all[1].push_back({name, role.allow, role.deny, role.inherits});
  for (const policy::Rule& rule : rules) all[2].push_back(as_json(rule));
  auto made = policy::Policy::make(std::move(roles), c.policy.read_only,
                                   to_hex(sha256(dump_json(all))).substr(0, 16), std::move(rules));
  if (!made) return made.error();
  return std::make_shared<const policy::Policy>(std::move(*made));
}

}  // namespace vmcp::app
