// The configured roles: checked for errors, and walked along their inheritance.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace vmcp::policy {

// Every problem of the roles, one a line, so that the operator mends all at once; empty when there is none.
std::string problems_of(const std::map<std::string, RoleRules>& roles);

// `name` and all that it inherits, nearest first, each once. Ends also when the roles inherit each other.
std::vector<std::string> lineage(const std::map<std::string, RoleRules>& roles, const std::string& name);

}  // namespace vmcp::policy
