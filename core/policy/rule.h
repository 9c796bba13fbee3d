// What an operator can say beyond a role's lists: one rule of the policy, as plain values.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace vmcp::policy {

// What a rule does to a call that it matches. `allow` and `unasked` open something: they match only when all
// that they name is there and fits. The others close something: they match as soon as one target fits.
enum class Effect { allow, deny, unasked, confirm, elicit, approve };
inline bool opens(Effect e) {
  return e == Effect::allow || e == Effect::unasked;
}
const char* effect_name(Effect e);

// Of one argument, by JSON pointer into the call's arguments after names were resolved to ids.
struct ArgumentCondition {
  std::string pointer;  // "/cpu_count"
  std::optional<double> min, max;
  std::vector<Json> one_of;
  std::string pattern;     // RE2, must match the whole text; empty = none
  bool required = false;   // must be there
  bool forbidden = false;  // must not be there; then nothing else is said of it
};

// Of the objects that a call acts on. Each list that is not empty must fit; of a list one entry must.
struct TargetCondition {
  std::vector<std::string> kinds;         // "vm"
  std::vector<std::string> vcenters;      // names as configured, globs
  std::vector<std::string> datacenters;   // inventory paths, "/north"
  std::vector<std::string> clusters;      // inventory paths, "/north/host/c1"
  std::vector<std::string> folders;       // inventory paths: the folder itself and all below it
  std::vector<std::string> tags;          // "category/tag"
  std::vector<std::string> names;         // globs
  std::vector<std::string> power_states;  // "POWERED_ON"

  // Something is said of an object, not only of the vCenter of the call.
  bool of_objects() const {
    return !kinds.empty() || !datacenters.empty() || !clusters.empty() || !folders.empty() || !tags.empty() ||
           !names.empty() || !power_states.empty();
  }
  bool none() const { return vcenters.empty() && !of_objects(); }
};

// Hours of a week in a time zone. `from` == `to`: the whole day. `from` > `to`: over midnight, and the day is
// that on which it began.
struct WindowCondition {
  std::bitset<7> days;  // [0] = Monday
  int from_min = 0, to_min = 0;
  std::string zone = "UTC";  // as in the machine's zoneinfo, "Europe/Berlin"
};

struct Rule {
  std::string name;    // unique; decisions and the audit name it
  std::string origin;  // where it was written, "site.toml:12:1", for the operator only
  Effect effect = Effect::deny;
  std::vector<std::string> roles;       // who inherits one of them is meant too; empty = every role
  std::vector<std::string> identities;  // globs; empty = everyone
  std::vector<std::string> tools;       // globs, as in a role's lists; not empty
  std::vector<ArgumentCondition> arguments;
  TargetCondition targets;
  std::optional<WindowCondition> window;
};

}  // namespace vmcp::policy
