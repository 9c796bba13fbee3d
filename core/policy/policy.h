// Steps 6, 8 and 9: who may do what, and who must agree first. Pure decisions on values; default deny; deny
// beats allow; what cannot be decided permits nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/principal.h"
#include "base/result.h"
#include "inventory/facts.h"
#include "inventory/object.h"
#include "policy/conditions.h"
#include "policy/rule.h"

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

// Who must agree before the call runs, weakest first.
enum class Consent { none, confirm, elicit, approve };
const char* consent_name(Consent consent);

struct Decision {
  bool allowed = false;
  std::string rule;        // "role ops allow 'power_*'", "rule 'resize-small'", "default deny", "READ_ONLY"
  std::string reason;      // for the caller: what is missing and who can give it
  std::string wider_role;  // of a denial: the narrowest role that may; empty when none may
};

// Of a whole call: a Decision, and if it is allowed, who must agree.
struct Judgement {
  Decision decision;
  Consent consent = Consent::none;
  std::string consent_rule;  // that asks for it; empty: the tool itself
};

// A call as far as step 7 has made it out. Everything is borrowed.
struct Call {
  const Principal& principal;
  ToolFacts tool;
  bool tool_asks = false;    // the tool itself wants confirm=true
  std::string_view vcenter;  // empty: it is about none
  const Json& arguments;     // as given, names replaced by ids, the host's arguments included
  std::span<const Subject> targets;
  WallTime now;
  // Of what the caller left out, by the tool's schema; null: none has one.
  const Json* defaults = nullptr;
};

// What one rule said of a call, for `explain`.
struct Note {
  std::string rule, origin, effect;
  std::string verdict;  // "matches", "does not match", "cannot be decided"
  std::string why;
};
using Notes = std::vector<Note>;

// Immutable snapshot; replaced whole on reload. [any thread]
class Policy {
 public:
  // Errors name every bad role, pattern, rule and inheritance cycle at once.
  static Result<Policy> make(std::map<std::string, RoleRules> roles, bool read_only, std::string version,
                             std::vector<Rule> rules = {});
  Policy(Policy&&) noexcept;
  Policy& operator=(Policy&&) noexcept;
  ~Policy();

  // Step 6: some call of this tool could be allowed now. The same function filters tools/list.
  Decision may_call(const Principal& principal, const ToolFacts& tool, WallTime now) const;
  // Steps 8 and 9, on resolved objects and values. Each target must be allowed; one that is denied refuses
  // all. `notes`: filled with what each rule said, if it is given.
  Judgement judge(const Call& call, Notes* notes = nullptr) const;
  // The vCenter part of that: what must be known of the targets before it.
  inventory::FactsWanted facts_for(const Principal& principal, const ToolFacts& tool) const;
  // Whether judge() could say other than may_call(): rules with conditions speak of this tool.
  bool says_more(const Principal& principal, std::string_view tool) const;
  // Whether rules look at the arguments of this tool; then judge() needs them.
  bool looks_at_arguments(const Principal& principal, std::string_view tool) const;

  // Whether this principal may use a part of the admin API, such as "plugins". Only patterns that begin with
  // "admin/" allow it: a role with "*" has every tool, and nothing of the server itself.
  Decision may_administer(const Principal& principal, std::string_view area) const;

  // The one visibility for lists, resolution, completion, resources and previews: some tool could be allowed
  // on this object now, as far as where and what it is.
  // Made once for many objects; it must not outlive the policy.
  class View {
   public:
    bool sees(const Subject& subject) const;
    bool sees_all() const { return known_ && all_ && hiding_.empty(); }
    // A tag by which something is to be hidden in this vCenter, and which is one of these: what it would hide
    // cannot be told, so nothing may be shown.
    std::optional<std::string> hides_by(const std::set<std::string, std::less<>>& absent_tags,
                                        std::string_view vcenter) const;

   private:
    friend class Policy;
    bool known_ = false;  // the role exists
    bool all_ = false;    // nothing limits it to some objects
    std::vector<const ReadyRule*> hiding_, showing_;
  };
  View view(const Principal& principal, WallTime now) const;
  bool visible(const Principal& principal, const Subject& subject, WallTime now) const {
    return view(principal, now).sees(subject);
  }
  inventory::FactsWanted facts_to_see(const Principal& principal) const;
  // True when this principal's view is limited to some objects (raw list operations are then refused).
  bool limited(const Principal& principal) const;

  // All roles, the one that may call the fewest of these tools first.
  std::vector<std::string> roles(const std::vector<std::string>& tools) const;
  std::size_t rules() const { return rules_.size(); }

  const std::string& version() const { return version_; }

 private:
  struct Pattern {
    std::string pattern;
    std::string from;  // the role that states it: an ancestor of the role that holds it, or itself
  };
  struct Role {
    std::vector<Pattern> allow, deny;  // inherited ones included, own first
    bool shows_all = false;            // a list opens something of the inventory, without a limit
    // Of the rules that speak of this role: those that hide objects from it, and, unless a list shows it all,
    // those that show some.
    std::vector<const ReadyRule*> hiding, showing;
  };
  // What there is to say of one tool in one role: found once, then kept.
  struct Applicable {
    const Pattern* allow = nullptr;
    const Pattern* deny = nullptr;
    std::vector<const ReadyRule*> allowing, denying, asking;  // in the order of the configuration
    inventory::FactsWanted facts;
    bool arguments = false;
  };
  struct Kept;

  Policy();
  // Parts of the admin API are nothing of the inventory.
  static bool opens_objects(const Pattern& pattern) { return !pattern.pattern.starts_with("admin/"); }
  static const Pattern* find(const std::vector<Pattern>& patterns, std::string_view tool);
  std::shared_ptr<const Applicable> applicable(std::string_view role, std::string_view tool) const;
  std::shared_ptr<const Applicable> look_up(const Role& role, std::string_view name,
                                            std::string_view tool) const;
  bool could_allow(const Applicable& of, const Principal& principal, WallTime now, std::string& rule) const;
  // Narrowest grant first: who needs more asks for the smallest role that has it.
  std::vector<std::string_view> roles_that_may(std::string_view tool) const;
  Decision refusal(const Principal& principal, const ToolFacts& tool, std::string rule) const;
  Decision judge_denials(const Call& call, const Applicable& of, Notes* notes) const;
  Decision judge_allowances(const Call& call, const Applicable& of, Notes* notes) const;
  bool judge_consent(const Call& call, const Applicable& of, Judgement& out, Notes* notes) const;

  std::map<std::string, Role, std::less<>> roles_;
  std::vector<std::unique_ptr<ReadyRule>> rules_;
  std::unique_ptr<Kept> kept_;
  bool read_only_ = false;
  std::string version_;
};
using PolicyPtr = std::shared_ptr<const Policy>;

// read ⊂ ops ⊂ admin over the first-party tools; what a site gets when it sets nothing.
std::map<std::string, RoleRules> default_roles();

}  // namespace vmcp::policy
