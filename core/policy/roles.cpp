#include "policy/roles.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace vmcp::policy {
namespace {

constexpr std::size_t kMaxRoles = 256;
constexpr std::size_t kMaxPatterns = 1000;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxReportBytes = 8192;

bool made_of_name_characters_and(std::string_view extra, std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kMaxNameBytes)) out += c >= 0x20 && c < 0x7F ? c : '?';
  return out + "'";
}

class Report {
 public:
  void add(const std::string& problem) {
    if (text_.size() < kMaxReportBytes) text_ += (text_.empty() ? "" : "\n") + problem;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void check_patterns(Report& report, const std::string& role, const char* list,
                    const std::vector<std::string>& patterns) {
  if (patterns.size() > kMaxPatterns)
    report.add("role " + in_quotes(role) + ": more than 1000 patterns in '" + list + "'");
  for (const std::string& pattern : patterns)
    if (!is_pattern(pattern))
      report.add("role " + in_quotes(role) + ": " + list + " pattern " + in_quotes(pattern) +
                 " cannot match a tool: use letters, digits, _ - . / and the globs * and ?");
}

bool inherits_itself(const std::map<std::string, RoleRules>& roles, const std::string& name) {
  for (const std::string& ancestor : lineage(roles, name)) {
    const auto it = roles.find(ancestor);
    if (it == roles.end()) continue;
    const auto& parents = it->second.inherits;
    if (std::find(parents.begin(), parents.end(), name) != parents.end()) return true;
  }
  return false;
}

}  // namespace

bool is_pattern(std::string_view text) {
  return made_of_name_characters_and("_-./*?", text);
}

std::vector<std::string> lineage(const std::map<std::string, RoleRules>& roles, const std::string& name) {
  std::vector<std::string> order{name};
  std::set<std::string> seen{name};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto it = roles.find(order[i]);
    if (it == roles.end()) continue;
    for (const std::string& parent : it->second.inherits)
      if (seen.insert(parent).second) order.push_back(parent);
  }
  return order;
}

std::string problems_of(const std::map<std::string, RoleRules>& roles) {
  Report report;
  if (roles.empty()) report.add("no role is configured: nobody could call anything");
  if (roles.size() > kMaxRoles) {
    report.add("more than 256 roles are configured");
    return report.take();
  }
  for (const auto& [name, rules] : roles) {
    if (!made_of_name_characters_and("_-.@", name))
      report.add("role " + in_quotes(name) + ": a role's name is made of letters, digits and _ - . @");
    check_patterns(report, name, "allow", rules.allow);
    check_patterns(report, name, "deny", rules.deny);
    for (const std::string& parent : rules.inherits)
      if (!roles.contains(parent))
        report.add("role " + in_quotes(name) + " inherits " + in_quotes(parent) + ", which does not exist");
    if (inherits_itself(roles, name))
      report.add("role " + in_quotes(name) + " inherits itself: break the cycle");
  }
  return report.take();
}

}  // namespace vmcp::policy
