#include "policy/policy.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/glob.h"
#include "policy/kept.h"
#include "policy/roles.h"

namespace vmcp::policy {
namespace {

constexpr std::size_t kRolesInHint = 5;

std::size_t literal_characters(std::string_view pattern) {
  return static_cast<std::size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
}

std::string quoted_name(std::string_view text) {
  return "'" + std::string(text.substr(0, 128)) + "'";
}

std::string hint(const std::vector<std::string_view>& roles) {
  std::string out;
  for (std::size_t i = 0; i < roles.size() && i < kRolesInHint; ++i)
    out += (i == 0 ? "" : ", ") + std::string(roles[i]);
  if (roles.size() > kRolesInHint) out += " and " + std::to_string(roles.size() - kRolesInHint) + " more";
  return out.empty() ? "none; the operator must add it to a role" : out;
}

Decision denied(std::string rule, std::string reason) {
  return {false, std::move(rule), std::move(reason), {}};
}

void add_tags(inventory::FactsWanted& facts, const ReadyRule& rule) {
  for (const std::string& tag : rule.rule().targets.tags)
    if (std::find(facts.tags.begin(), facts.tags.end(), tag) == facts.tags.end()) facts.tags.push_back(tag);
}

void add_facts(inventory::FactsWanted& facts, const ReadyRule& rule) {
  const TargetCondition& said = rule.rule().targets;
  facts.power = facts.power || !said.power_states.empty();
  facts.cluster = facts.cluster || !said.clusters.empty();
  add_tags(facts, rule);
}

// A denial of everything there, whatever the arguments: what it names is not even seen.
bool hides(const ReadyRule& ready) {
  const Rule& rule = ready.rule();
  return rule.effect == Effect::deny && rule.arguments.empty() && rule.targets.power_states.empty() &&
         std::find(rule.tools.begin(), rule.tools.end(), "*") != rule.tools.end();
}

}  // namespace

const char* consent_name(Consent consent) {
  switch (consent) {
    case Consent::none:
      return "none";
    case Consent::confirm:
      return "confirm";
    case Consent::elicit:
      return "elicit";
    case Consent::approve:
      return "approve";
  }
  return "approve";
}

Policy::Policy() : kept_(std::make_unique<Kept>()) {}
Policy::Policy(Policy&&) noexcept = default;
Policy& Policy::operator=(Policy&&) noexcept = default;
Policy::~Policy() = default;

Result<Policy> Policy::make(std::map<std::string, RoleRules> roles, bool read_only, std::string version,
                            std::vector<Rule> rules) {
  std::string problems = problems_of(roles);
  Policy made;
  for (const auto& [name, own] : roles) {
    Role& role = made.roles_[name];
    for (const std::string& from : lineage(roles, name)) {
      const auto stated = roles.find(from);
      if (stated == roles.end()) continue;  // one of the problems
      for (const std::string& pattern : stated->second.allow) role.allow.push_back({pattern, from});
      for (const std::string& pattern : stated->second.deny) role.deny.push_back({pattern, from});
    }
  }
  made.rules_ = ready_rules(std::move(rules), roles, problems);
  if (!problems.empty()) return make_error(Code::invalid_argument, std::move(problems));
  for (auto& [name, role] : made.roles_) {
    role.shows_all = std::any_of(role.allow.begin(), role.allow.end(), opens_objects);
    for (const auto& rule : made.rules_) {
      if (!rule->names_role(name)) continue;
      if (hides(*rule))
        role.hiding.push_back(rule.get());
      else if (!role.shows_all && rule->rule().effect == Effect::allow)
        role.showing.push_back(rule.get());
    }
  }
  made.read_only_ = read_only;
  made.version_ = std::move(version);
  return made;
}

const Policy::Pattern* Policy::find(const std::vector<Pattern>& patterns, std::string_view tool) {
  for (const Pattern& pattern : patterns)
    if (glob_match(pattern.pattern, tool)) return &pattern;
  return nullptr;
}

std::shared_ptr<const Policy::Applicable> Policy::look_up(const Role& role, std::string_view name,
                                                          std::string_view tool) const {
  auto out = std::make_shared<Applicable>();
  out->allow = find(role.allow, tool);
  out->deny = find(role.deny, tool);
  for (const auto& rule : rules_) {
    if (!rule->names(name, tool)) continue;
    const Effect effect = rule->rule().effect;
    (effect == Effect::allow  ? out->allowing
     : effect == Effect::deny ? out->denying
                              : out->asking)
        .push_back(rule.get());
    add_facts(out->facts, *rule);
    out->arguments = out->arguments || !rule->rule().arguments.empty();
  }
  return out;
}

std::shared_ptr<const Policy::Applicable> Policy::applicable(std::string_view role,
                                                             std::string_view tool) const {
  if (auto kept = kept_->find(role, tool)) return kept;
  const auto it = roles_.find(role);
  if (it == roles_.end()) return nullptr;
  auto made = look_up(it->second, it->first, tool);
  kept_->put(role, tool, made);
  return made;
}

std::vector<std::string_view> Policy::roles_that_may(std::string_view tool) const {
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const auto& [name, role] : roles_) {
    const auto of = applicable(name, tool);
    if (of->deny != nullptr || (of->allow == nullptr && of->allowing.empty())) continue;
    // A rule with conditions is narrower than any pattern of the same length.
    std::size_t literals = of->allow != nullptr ? literal_characters(of->allow->pattern) : tool.size() + 1;
    found.emplace_back(literals, name);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string_view> out;
  for (const auto& [literals, name] : found) out.push_back(name);
  return out;
}

std::vector<std::string> Policy::roles(const std::vector<std::string>& tools) const {
  std::vector<std::pair<std::size_t, std::string>> all;
  for (const auto& entry : roles_) {
    const std::string& name = entry.first;
    const auto may = [&](const std::string& tool) {
      const auto of = applicable(name, tool);
      return of->deny == nullptr && (of->allow != nullptr || !of->allowing.empty());
    };
    all.emplace_back(std::count_if(tools.begin(), tools.end(), may), name);
  }
  std::sort(all.begin(), all.end());
  std::vector<std::string> out;
  for (auto& [reach, name] : all) out.push_back(std::move(name));
  return out;
}

Decision Policy::refusal(const Principal& principal, const ToolFacts& tool, std::string rule) const {
  const std::vector<std::string_view> wider = roles_that_may(tool.name);
  Decision out = denied(std::move(rule), "role " + quoted_name(principal.role) + " may not call " +
                                             quoted_name(tool.name) + "; roles that may: " + hint(wider));
  if (!wider.empty() && wider.front() != principal.role && !(read_only_ && tool.changes))
    out.wider_role = wider.front();
  return out;
}

bool Policy::could_allow(const Applicable& of, const Principal& principal, WallTime now,
                         std::string& rule) const {
  if (of.allow != nullptr) {
    rule = "role " + of.allow->from + " allow " + quoted_name(of.allow->pattern);
    return true;
  }
  for (const ReadyRule* allow : of.allowing) {
    if (!allow->names_identity(principal.identity) || !allow->window(now, Say::nothing).yes()) continue;
    rule = allow->label();
    return true;
  }
  return false;
}

Decision Policy::may_call(const Principal& principal, const ToolFacts& tool, WallTime now) const {
  const auto of = applicable(principal.role, tool.name);
  if (!of) {
    const std::vector<std::string_view> wider = roles_that_may(tool.name);
    Decision out =
        denied("unknown role", principal.role.empty()
                                   ? "the token grants no role of this server; roles that may call " +
                                         quoted_name(tool.name) + ": " + hint(wider)
                                   : "role " + quoted_name(principal.role) +
                                         " does not exist on this server; ask the operator to define it");
    if (!wider.empty() && !(read_only_ && tool.changes)) out.wider_role = wider.front();
    return out;
  }
  if (of->deny != nullptr)
    return refusal(principal, tool, "role " + of->deny->from + " deny " + quoted_name(of->deny->pattern));
  for (const ReadyRule* deny : of->denying) {
    const Rule& said = deny->rule();
    if (said.arguments.empty() && said.targets.none() && deny->names_identity(principal.identity) &&
        deny->window(now, Say::nothing).yes())
      return refusal(principal, tool, deny->label());
  }
  std::string rule;
  if (!could_allow(*of, principal, now, rule)) {
    Decision out = refusal(principal, tool, "default deny");
    if (!of->allowing.empty())
      out.reason = quoted_name(tool.name) +
                   " is not open to this caller now: " + of->allowing.front()->label() +
                   " names other callers or other hours";
    return out;
  }
  // Behind the role's own verdict, so that a caller who may not use the tool learns that and nothing more.
  if (read_only_ && tool.changes)
    return denied("READ_ONLY",
                  quoted_name(tool.name) +
                      " changes things and this server runs with READ_ONLY=true: no role may call "
                      "it until the operator turns that off");
  return {true, std::move(rule), {}, {}};
}

inventory::FactsWanted Policy::facts_for(const Principal& principal, const ToolFacts& tool) const {
  inventory::FactsWanted out = facts_to_see(principal);  // judge() asks whether it shows, too
  const auto of = applicable(principal.role, tool.name);
  if (!of) return out;
  out.power = out.power || of->facts.power;
  out.cluster = out.cluster || of->facts.cluster;
  for (const std::string& tag : of->facts.tags)
    if (std::find(out.tags.begin(), out.tags.end(), tag) == out.tags.end()) out.tags.push_back(tag);
  return out;
}

bool Policy::says_more(const Principal& principal, std::string_view tool) const {
  const auto of = applicable(principal.role, tool);
  return !of || !of->allowing.empty() || !of->denying.empty() || !of->asking.empty();
}

bool Policy::looks_at_arguments(const Principal& principal, std::string_view tool) const {
  const auto of = applicable(principal.role, tool);
  return of && of->arguments;
}

Decision Policy::may_administer(const Principal& principal, std::string_view area) const {
  const std::string name = "admin/" + std::string(area);
  const std::string reason = "role " + quoted_name(principal.role) + " may not use " + quoted_name(name) +
                             "; the operator can allow it in [auth.role." + principal.role.substr(0, 64) +
                             "]";
  const auto role = roles_.find(principal.role);
  if (role == roles_.end()) return denied("unknown role", reason);
  if (const Pattern* deny = find(role->second.deny, name))
    return denied("role " + deny->from + " deny " + quoted_name(deny->pattern), reason);
  for (const Pattern& pattern : role->second.allow)
    if (pattern.pattern.starts_with("admin/") && glob_match(pattern.pattern, name))
      return {true, "role " + pattern.from + " allow " + quoted_name(pattern.pattern), {}, {}};
  return denied("default deny", reason);
}

Policy::View Policy::view(const Principal& principal, WallTime now) const {
  View out;
  const auto it = roles_.find(principal.role);
  if (it == roles_.end()) return out;
  const Role& role = it->second;
  out.known_ = true;
  out.all_ = role.shows_all;
  const auto speaks = [&](const ReadyRule* rule) {
    return rule->names_identity(principal.identity) && rule->window(now, Say::nothing).yes();
  };
  std::copy_if(role.hiding.begin(), role.hiding.end(), std::back_inserter(out.hiding_), speaks);
  std::copy_if(role.showing.begin(), role.showing.end(), std::back_inserter(out.showing_), speaks);
  return out;
}

bool Policy::View::sees(const Subject& subject) const {
  // An object without kind or id was not resolved: whatever it is, nobody may see it.
  if (!known_ || subject.object->kind.empty() || subject.object->id.empty()) return false;
  for (const ReadyRule* rule : hiding_)
    if (rule->target(subject, Say::nothing, true).state != Holds::State::no) return false;
  return all_ || std::any_of(showing_.begin(), showing_.end(), [&](const ReadyRule* rule) {
           return rule->target(subject, Say::nothing, true).yes();
         });
}

std::optional<std::string> Policy::View::hides_by(const std::set<std::string, std::less<>>& absent_tags,
                                                  std::string_view vcenter) const {
  for (const ReadyRule* rule : hiding_)
    for (const std::string& tag : rule->rule().targets.tags)
      if (absent_tags.contains(tag) && rule->vcenter(vcenter, Say::nothing).yes()) return tag;
  return std::nullopt;
}

inventory::FactsWanted Policy::facts_to_see(const Principal& principal) const {
  inventory::FactsWanted out;
  const auto role = roles_.find(principal.role);
  if (role == roles_.end()) return out;
  for (const auto* rules : {&role->second.hiding, &role->second.showing})
    for (const ReadyRule* rule : *rules) {
      if (!rule->names_identity(principal.identity)) continue;
      out.cluster = out.cluster || !rule->rule().targets.clusters.empty();
      add_tags(out, *rule);
    }
  return out;
}

bool Policy::limited(const Principal& principal) const {
  const auto role = roles_.find(principal.role);
  if (role == roles_.end() || !role->second.shows_all) return true;
  return std::any_of(role->second.hiding.begin(), role->second.hiding.end(),
                     [&](const ReadyRule* rule) { return rule->names_identity(principal.identity); });
}

std::map<std::string, RoleRules> default_roles() {
  return {
      {"read",
       {{"list_vms", "get_vm_details", "list_vm_snapshots", "list_hosts", "list_datastores", "list_networks",
         "list_datacenters", "get_datastore_usage", "get_resource_utilization_summary", "resource/*",
         "prompt/*"},
        {},
        {}}},
      {"ops", {{"power_on_vm", "power_off_vm", "restart_vm", "create_vm_snapshot"}, {}, {"read"}}},
      {"admin", {{"*"}, {}, {"ops"}}},
  };
}

}  // namespace vmcp::policy
