// What is wrong with a plugin, in words for its author. Names are stable: scripts may look for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace vmcp::plugin_check {

struct Finding {
  std::string name;       // one of known_findings()
  std::string where;      // "library", "start", "tool list_vms"
  std::string saw;        // what happened
  std::string arguments;  // JSON of the call that showed it; empty when there was none
};

struct KnownFinding {
  std::string_view name, fix;
};
// Every name there is, with its fix.
const std::vector<KnownFinding>& known_findings();
// All of them as a table in Markdown, as sdk/FINDINGS.md has it.
std::string findings_table();
// Empty for a name that is not known.
std::string_view fix_of(std::string_view name);

Json to_json(const Finding& finding);
// False when a member is missing or the name is not known.
bool from_json(const Json& json, Finding& out);

// Keeps the first finding of each name and place: what a defect does in fifty calls is one finding.
class Findings {
 public:
  void add(Finding finding);
  const std::vector<Finding>& all() const { return all_; }
  bool empty() const { return all_.empty(); }

 private:
  std::vector<Finding> all_;
};

}  // namespace vmcp::plugin_check
