// The configured roles and rules: checked for errors, and walked along their inheritance.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policy/conditions.h"
#include "policy/policy.h"

namespace vmcp::policy {

// Every problem of the roles, one a line, so that the operator mends all at once; empty when there is none.
std::string problems_of(const std::map<std::string, RoleRules>& roles);

// `name` and all that it inherits, nearest first, each once. Ends also when the roles inherit each other.
std::vector<std::string> lineage(const std::map<std::string, RoleRules>& roles, const std::string& name);

// The rules ready to be asked, in their order. What is wrong with one is added to `problems`, a line each,
// with the place where it was written.
std::vector<std::unique_ptr<ReadyRule>> ready_rules(std::vector<Rule> rules,
                                                    const std::map<std::string, RoleRules>& roles,
                                                    std::string& problems);

// In a name or pattern of a tool, resource or prompt.
bool is_pattern(std::string_view text);

}  // namespace vmcp::policy
