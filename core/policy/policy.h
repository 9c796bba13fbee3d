// Steps 6 and 8: who may do what. Pure decisions on values; default deny; deny beats allow; an error is a
// denial.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/principal.h"
#include "base/result.h"
#include "inventory/object.h"

namespace vmcp::policy {

struct RoleRules {
  std::vector<std::string> allow;  // globs on tool names
  std::vector<std::string> deny;
  std::vector<std::string> inherits;  // further roles; cycles are a load error
};

// What a decision needs to know of a tool.
struct ToolFacts {
  std::string_view name;
  bool changes = true;  // effect change or destroy
};

struct Decision {
  bool allowed = false;
  std::string rule;        // "role ops allow 'power_*'", "default deny", "READ_ONLY"
  std::string reason;      // for the caller: what is missing and who can give it
  std::string wider_role;  // of a denial: the narrowest role that may; empty when none may
};

// Immutable snapshot; replaced whole on reload. [any thread]
class Policy {
 public:
  // Errors name every bad role, pattern and inheritance cycle at once.
  static Result<Policy> make(std::map<std::string, RoleRules> roles, bool read_only, std::string version);

  // Step 6. The same function filters tools/list.
  Decision may_call(const Principal& principal, const ToolFacts& tool) const;
  // Whether this principal may use a part of the admin API, such as "plugins". Only patterns that begin with
  // "admin/" allow it: a role with "*" has every tool, and nothing of the server itself.
  Decision may_administer(const Principal& principal, std::string_view area) const;
  // Step 8, on resolved objects. In this form: every target must be visible.
  Decision may_touch(const Principal& principal, const ToolFacts& tool,
                     const inventory::Object& target) const;
  // The one visibility for lists, resolution, previews and (later) resources and completion.
  bool visible(const Principal& principal, const inventory::Object& object) const;
  // True when this principal's view is limited to some objects (raw list operations are then refused).
  bool limited(const Principal& principal) const;

  // All roles, the one that may call the fewest of these tools first.
  std::vector<std::string> roles(const std::vector<std::string>& tools) const;

  const std::string& version() const { return version_; }

 private:
  struct Rule {
    std::string pattern;
    std::string from;  // the role that states it: an ancestor of the role that holds it, or itself
  };
  struct Role {
    std::vector<Rule> allow, deny;  // inherited ones included, own first
  };
  const Rule* find(const std::vector<Rule>& rules, std::string_view tool) const;
  // Narrowest grant first: who needs more asks for the smallest role that has it.
  std::vector<std::string_view> roles_that_may(std::string_view tool) const;
  std::map<std::string, Role, std::less<>> roles_;
  bool read_only_ = false;
  std::string version_;
};

// read ⊂ ops ⊂ admin over the first-party tools; what a site gets when it sets nothing.
std::map<std::string, RoleRules> default_roles();

}  // namespace vmcp::policy
