#include <algorithm>
#include <set>
#include <string_view>

#include "policy/roles.h"

namespace vmcp::policy {
namespace {

constexpr std::size_t kMaxRules = 10'000;
constexpr std::size_t kMaxEntriesInList = 1'000;
constexpr std::size_t kMaxEntryBytes = 1'024;
constexpr std::size_t kMaxProblemBytes = 16u << 10;

constexpr std::string_view kPowerStates[] = {"POWERED_ON", "POWERED_OFF", "SUSPENDED"};

std::string in_single_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 128)) out += c >= 0x20 && c < 0x7F ? c : '?';
  return out + "'";
}

// What is wrong with one rule.
class RuleCheck {
 public:
  RuleCheck(const Rule& rule, std::string& problems) : rule_(rule), problems_(problems) {}

  void say(const std::string& what) {
    if (problems_.size() > kMaxProblemBytes) return;
    if (!problems_.empty()) problems_ += '\n';
    problems_ += "policy.rule " + in_single_quotes(rule_.name);
    if (!rule_.origin.empty()) problems_ += " (" + rule_.origin + ")";
    problems_ += ": " + what;
  }

  void list(const char* key, const std::vector<std::string>& entries, bool (*fits)(std::string_view),
            const char* fix) {
    if (entries.size() > kMaxEntriesInList) say(std::string(key) + " has more than 1000 entries");
    for (const std::string& entry : entries)
      if (entry.empty() || entry.size() > kMaxEntryBytes || !fits(entry))
        say(std::string(key) + ": " + in_single_quotes(entry) + " cannot be meant; " + fix);
  }

  void arguments() {
    for (const ArgumentCondition& said : rule_.arguments) {
      const bool limits = said.min || said.max || !said.one_of.empty() || !said.pattern.empty();
      if (said.forbidden && (said.required || limits))
        say(said.pointer + " is forbidden, so nothing else can be said of it");
      if (!said.forbidden && !said.required && !limits)
        say(said.pointer + " has no condition; give min, max, one_of, pattern, required or forbidden");
      if (said.min && said.max && *said.min > *said.max) say(said.pointer + ": min is more than max");
      if (said.pattern.size() > kMaxEntryBytes) say(said.pointer + ": the pattern is longer than 1024 bytes");
      if (said.one_of.size() > kMaxEntriesInList) say(said.pointer + ": one_of has more than 1000 entries");
    }
  }

 private:
  const Rule& rule_;
  std::string& problems_;
};

bool anything(std::string_view) {
  return true;
}
bool is_absolute(std::string_view path) {
  return path.starts_with('/') && (path.size() == 1 || !path.ends_with('/')) && !path.starts_with("/?");
}
bool is_place(std::string_view text) {
  return text.starts_with('/') ? is_absolute(text) && text.size() > 1
                               : text.find('/') == std::string_view::npos;
}
bool is_tag(std::string_view text) {
  const auto slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
}
bool is_power_state(std::string_view text) {
  return std::find(std::begin(kPowerStates), std::end(kPowerStates), text) != std::end(kPowerStates);
}
bool is_known_kind(std::string_view text) {
  constexpr std::string_view kinds[] = {"vm",         "host",    "datastore", "network",
                                        "datacenter", "cluster", "folder"};
  return std::find(std::begin(kinds), std::end(kinds), text) != std::end(kinds);
}

void check_rule(const Rule& rule, const std::map<std::string, RoleRules>& roles, std::string& problems) {
  RuleCheck check(rule, problems);
  if (rule.name.empty() || rule.name.size() > 128 || !is_pattern(rule.name))
    check.say("a rule's name is made of letters, digits and _ - . /");
  if (rule.tools.empty()) check.say("names no tool; write tools = [\"delete_vm\"], or [\"*\"] for all");
  check.list("tools", rule.tools, is_pattern, "use letters, digits, _ - . / and the globs * and ?");
  check.list("identities", rule.identities, anything, "write names of tokens, with the globs * and ?");
  for (const std::string& role : rule.roles)
    if (!roles.contains(role))
      check.say("names the role " + in_single_quotes(role) + ", which does not exist");
  const TargetCondition& targets = rule.targets;
  check.list("kinds", targets.kinds, is_known_kind,
             "the kinds are vm, host, datastore, network, datacenter, cluster, folder");
  check.list("vcenters", targets.vcenters, anything, "write the name of a vCenter as configured");
  check.list("datacenters", targets.datacenters, is_place, "write a name, or its path as \"/north\"");
  check.list("clusters", targets.clusters, is_place, "write a name, or its path as \"/north/host/c1\"");
  check.list("folders", targets.folders, is_absolute,
             "write the folder's inventory path, \"/north/vm/test\", without a slash at the end");
  check.list("tags", targets.tags, is_tag, "write \"category/tag\"");
  check.list("names", targets.names, anything, "write names with the globs * and ?");
  check.list("power_states", targets.power_states, is_power_state,
             "the states are POWERED_ON, POWERED_OFF, SUSPENDED");
  if (rule.window && rule.window->days.none()) check.say("when names no day");
  check.arguments();
}

// The role and all that inherit it.
std::set<std::string, std::less<>> meant_by(const Rule& rule, const std::map<std::string, RoleRules>& roles) {
  std::set<std::string, std::less<>> out;
  if (rule.roles.empty()) return out;
  for (const auto& [name, own] : roles)
    for (const std::string& ancestor : lineage(roles, name))
      if (std::find(rule.roles.begin(), rule.roles.end(), ancestor) != rule.roles.end()) out.insert(name);
  return out;
}

}  // namespace

std::vector<std::unique_ptr<ReadyRule>> ready_rules(std::vector<Rule> rules,
                                                    const std::map<std::string, RoleRules>& roles,
                                                    std::string& problems) {
  std::vector<std::unique_ptr<ReadyRule>> out;
  if (rules.size() > kMaxRules) {
    problems += (problems.empty() ? "" : "\n") + std::string("more than 10000 rules are configured");
    return out;
  }
  std::set<std::string> names;
  for (Rule& rule : rules) {
    check_rule(rule, roles, problems);
    RuleCheck check(rule, problems);
    if (!names.insert(rule.name).second) check.say("two rules have this name; decisions are known by it");
    auto meant = meant_by(rule, roles);
    auto ready = ReadyRule::make(rule, std::move(meant));
    if (ready)
      out.push_back(std::move(*ready));
    else
      check.say(ready.error().text);
  }
  return out;
}

}  // namespace vmcp::policy
