#include "policy/policy.h"

#include <algorithm>
#include <utility>

#include "base/glob.h"
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

}  // namespace

Result<Policy> Policy::make(std::map<std::string, RoleRules> roles, bool read_only, std::string version) {
  if (std::string problems = problems_of(roles); !problems.empty())
    return make_error(Code::invalid_argument, std::move(problems));
  Policy made;
  for (const auto& [name, own] : roles) {
    Role& role = made.roles_[name];
    for (const std::string& from : lineage(roles, name)) {
      const RoleRules& rules = roles.at(from);
      for (const std::string& pattern : rules.allow) role.allow.push_back({pattern, from});
      for (const std::string& pattern : rules.deny) role.deny.push_back({pattern, from});
    }
  }
  made.read_only_ = read_only;
  made.version_ = std::move(version);
  return made;
}

const Policy::Rule* Policy::find(const std::vector<Rule>& rules, std::string_view tool) const {
  for (const Rule& rule : rules)
    if (glob_match(rule.pattern, tool)) return &rule;
  return nullptr;
}

std::vector<std::string_view> Policy::roles_that_may(std::string_view tool) const {
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const auto& [name, role] : roles_)
    if (const Rule* allow = find(role.allow, tool); allow && !find(role.deny, tool))
      found.emplace_back(literal_characters(allow->pattern), name);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string_view> out;
  for (const auto& [literals, name] : found) out.push_back(name);
  return out;
}

std::vector<std::string> Policy::roles(const std::vector<std::string>& tools) const {
  std::vector<std::pair<std::size_t, std::string>> all;
  for (const auto& [name, role] : roles_) {
    const auto may = [&, &rules = role](const std::string& tool) {
      return find(rules.allow, tool) != nullptr && find(rules.deny, tool) == nullptr;
    };
    all.emplace_back(std::count_if(tools.begin(), tools.end(), may), name);
  }
  std::sort(all.begin(), all.end());
  std::vector<std::string> out;
  for (auto& [reach, name] : all) out.push_back(std::move(name));
  return out;
}

Decision Policy::may_call(const Principal& principal, const ToolFacts& tool) const {
  const auto role = roles_.find(principal.role);
  if (role == roles_.end()) {
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
  const auto refusal = [&](std::string rule) {
    const std::vector<std::string_view> wider = roles_that_may(tool.name);
    Decision out = denied(std::move(rule), "role " + quoted_name(principal.role) + " may not call " +
                                               quoted_name(tool.name) + "; roles that may: " + hint(wider));
    if (!wider.empty() && !(read_only_ && tool.changes)) out.wider_role = wider.front();
    return out;
  };
  if (const Rule* deny = find(role->second.deny, tool.name))
    return refusal("role " + deny->from + " deny " + quoted_name(deny->pattern));
  const Rule* allow = find(role->second.allow, tool.name);
  if (!allow) return refusal("default deny");
  // Behind the role's own verdict, so that a caller who may not use the tool learns that and nothing more.
  if (read_only_ && tool.changes)
    return denied("READ_ONLY",
                  quoted_name(tool.name) +
                      " changes things and this server runs with READ_ONLY=true: no role may call "
                      "it until the operator turns that off");
  return {true, "role " + allow->from + " allow " + quoted_name(allow->pattern), {}, {}};
}

Decision Policy::may_administer(const Principal& principal, std::string_view area) const {
  const std::string name = "admin/" + std::string(area);
  const std::string reason = "role " + quoted_name(principal.role) + " may not use " + quoted_name(name) +
                             "; the operator can allow it in [auth.role." + principal.role.substr(0, 64) +
                             "]";
  const auto role = roles_.find(principal.role);
  if (role == roles_.end()) return denied("unknown role", reason);
  if (const Rule* deny = find(role->second.deny, name))
    return denied("role " + deny->from + " deny " + quoted_name(deny->pattern), reason);
  for (const Rule& rule : role->second.allow)
    if (rule.pattern.starts_with("admin/") && glob_match(rule.pattern, name))
      return {true, "role " + rule.from + " allow " + quoted_name(rule.pattern), {}, {}};
  return denied("default deny", reason);
}

Decision Policy::may_touch(const Principal& principal, const ToolFacts& tool,
                           const inventory::Object& target) const {
  if (!visible(principal, target))
    return denied("invisible target", "role " + quoted_name(principal.role) + " may not use " +
                                          quoted_name(tool.name) +
                                          " on this target; ask the operator for access to it");
  return {true, "target visible", {}, {}};
}

bool Policy::visible(const Principal& principal, const inventory::Object& object) const {
  // An object without kind or id was not resolved: whatever it is, nobody may see it.
  return !object.kind.empty() && !object.id.empty() && roles_.contains(principal.role);
}

bool Policy::limited(const Principal& principal) const {
  // No rule names targets yet, so a known role sees everything; an unknown one sees nothing.
  return !roles_.contains(principal.role);
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
