// One rule, ready to be asked: patterns compiled, zone loaded, roles spread over who inherits them.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/principal.h"
#include "base/result.h"
#include "inventory/facts.h"
#include "inventory/object.h"
#include "policy/rule.h"
#include "policy/time_zone.h"

namespace vmcp::policy {

// An object as rules see it. `facts` null: nobody looked, and a rule that asks for them cannot be decided.
struct Subject {
  const inventory::Object* object = nullptr;
  const inventory::Facts* facts = nullptr;
};

// Most verdicts are about rules that speak of something else, and nobody reads why: making those texts would
// cost a call over many rules a hundred times what judging it does.
enum class Say { nothing, why };

// Whether a condition holds. `undecided`: it could not be found out, which never permits anything.
struct Holds {
  enum class State { yes, no, undecided } state = State::yes;
  std::string why = {};  // of no and undecided: what was asked for, without the caller's value

  bool yes() const { return state == State::yes; }
  // `text` makes the reason, and is not called when nobody wants it.
  template <class Text>
  static Holds no(Say say, Text&& text) {
    return {State::no, say == Say::why ? std::string(text()) : std::string()};
  }
  template <class Text>
  static Holds undecided(Say say, Text&& text) {
    return {State::undecided, say == Say::why ? std::string(text()) : std::string()};
  }
};

// Immutable; [any thread].
class ReadyRule {
 public:
  // `roles`: those that the rule's roles mean, inheritors included. Error: its pattern or zone is none.
  static Result<std::unique_ptr<ReadyRule>> make(Rule rule, std::set<std::string, std::less<>> roles);

  const Rule& rule() const { return rule_; }
  // "rule 'resize-small'", for decisions.
  const std::string& label() const { return label_; }

  bool names(std::string_view role, std::string_view tool) const;
  bool names_role(std::string_view role) const { return rule_.roles.empty() || roles_.contains(role); }
  bool names_identity(std::string_view identity) const;
  Holds window(WallTime now, Say say) const;
  Holds vcenter(std::string_view name, Say say) const;
  // `given` by the caller; `defaults`: by the tool's schema, for what he left out.
  Holds arguments(const Json& given, const Json& defaults, Say say) const;
  // `to_see`: what is asked is only whether the object shows: the power state, which comes and goes, is left
  // out.
  Holds target(const Subject& subject, Say say, bool to_see = false) const;

 private:
  struct Argument {
    std::vector<std::string> path;
    std::unique_ptr<RE2> pattern;  // null: none
  };
  ReadyRule() = default;
  Holds one_argument(const ArgumentCondition& said, const Argument& ready, const Json& given,
                     const Json& defaults, Say say) const;

  Rule rule_;
  std::string label_;
  std::set<std::string, std::less<>> roles_;
  std::vector<Argument> arguments_;  // as rule_.arguments
  std::optional<TimeZone> zone_;
};

// The parts of a JSON pointer; nothing when it is none ("" would be everything, which no rule may mean).
std::optional<std::vector<std::string>> pointer_path(std::string_view pointer);

}  // namespace vmcp::policy
