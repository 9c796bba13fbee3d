#include "prefix.h"

#include <cstdlib>
#include <set>

namespace vmcp::abi_facts {
namespace {

// The enumerations whose values the host hands to plugins, each named by one of its values: a plugin that was
// built before a value was added has no branch for it.
const std::set<std::string> kFlowsToPlugins = {"VMCP_OK"};

class Comparison {
 public:
  Comparison(const Facts& released, const Facts& today) : released_(released), today_(today) {}

  std::vector<std::string> run(bool draft) {
    for (const auto& [name, record] : released_.records) compare_record(name, record);
    for (const Enumeration& enumeration : released_.enumerations) compare_enumeration(enumeration);
    compare_texts(released_.typedefs, today_.typedefs);
    compare_texts(released_.prototypes, today_.prototypes);
    compare_macros();
    if (!draft && grew_ && minor(today_) <= minor(released_))
      complain("VMCP_ABI_MINOR", "is still " + std::to_string(minor(today_)) + ", though " + addition_ +
                                     " was added since: raise it, so that plugins can ask for it");
    return std::move(complaints_);
  }

 private:
  void complain(const std::string& what, const std::string& why) { complaints_.push_back(what + " " + why); }
  void added(const std::string& what) {
    grew_ = true;
    addition_ = what;
  }
  static long minor(const Facts& facts) {
    return std::strtol(facts.macros.at("VMCP_ABI_MINOR").c_str(), nullptr, 0);
  }

  void compare_record(const std::string& name, const Record& then) {
    const auto it = today_.records.find(name);
    if (it == today_.records.end()) return complain(name, "is gone");
    const Record& now = it->second;
    if (then.opaque) return;
    if (now.opaque) return complain(name, "has no members any more");
    for (std::size_t i = 0; i < then.members.size(); ++i) {
      const Member& was = then.members[i];
      const std::string place = name + "." + was.name;
      if (i >= now.members.size()) return complain(place, "is gone");
      const Member& is = now.members[i];
      if (is.name != was.name)
        return complain(place, "has become " + is.name + ": members grow at the tail only");
      if (is.type != was.type) complain(place, "was '" + was.type + "' and is '" + is.type + "'");
      if (is.offset != was.offset)
        complain(place, "was at " + std::to_string(was.offset) + " and is at " + std::to_string(is.offset));
    }
    compare_tail(name, then, now);
  }

  void compare_tail(const std::string& name, const Record& then, const Record& now) {
    if (now.members.size() == then.members.size()) {
      if (now.size != then.size)
        complain(name,
                 "was of " + std::to_string(then.size) + " bytes and is of " + std::to_string(now.size));
      return;
    }
    const Member& first = now.members[then.members.size()];
    added(name + "." + first.name);
    if (then.members.front().name != "size" || then.members.front().type != "unsigned32")
      complain(name, "has no `size`, so nobody could know whether " + first.name + " is there");
    // The old side counts its padding in `size`, without having put anything there.
    if (first.offset < then.size)
      complain(name + "." + first.name, "lies in what was padding: old tables would seem to have it");
  }

  void compare_enumeration(const Enumeration& then) {
    const std::string& known_by = then.values.front().first;
    const Enumeration* now = nullptr;
    for (const Enumeration& candidate : today_.enumerations)
      for (const auto& [name, value] : candidate.values)
        if (name == known_by) now = &candidate;
    if (now == nullptr) return complain(known_by, "is gone");
    if (now->type != then.type)
      complain("the enumeration of " + known_by, "was '" + then.type + "' and is '" + now->type + "'");
    const std::map<std::string, std::int64_t> values(now->values.begin(), now->values.end());
    std::map<std::int64_t, std::string> taken;
    std::set<std::string> names;
    for (const auto& [name, value] : then.values) {
      taken[value] = name;
      names.insert(name);
      if (const auto it = values.find(name); it == values.end())
        complain(name, "is gone");
      else if (it->second != value)
        complain(name, "was " + std::to_string(value) + " and is " + std::to_string(it->second));
    }
    for (const auto& [name, value] : now->values) {
      if (names.count(name) != 0) continue;
      added(name);
      if (const auto it = taken.find(value); it != taken.end())
        complain(name, "has the value of " + it->second);
      if (kFlowsToPlugins.count(known_by) != 0)
        complain(name, "is new, and flows from host to plugin: old plugins do not know it");
    }
  }

  void compare_texts(const std::map<std::string, std::string>& then,
                     const std::map<std::string, std::string>& now) {
    for (const auto& [name, text] : then) {
      const auto it = now.find(name);
      if (it == now.end())
        complain(name, "is gone");
      else if (it->second != text)
        complain(name, "was '" + text + "' and is '" + it->second + "'");
    }
  }

  void compare_macros() {
    std::map<std::string, std::string> then = released_.macros;
    then.erase("VMCP_ABI_MINOR");
    compare_texts(then, today_.macros);
    if (minor(today_) < minor(released_)) complain("VMCP_ABI_MINOR", "fell");
    for (const auto& [name, value] : today_.macros)
      if (name.rfind("VMCP_IFACE_", 0) == 0 && released_.macros.count(name) == 0) added(name);
  }

  const Facts &released_, &today_;
  std::vector<std::string> complaints_;
  bool grew_ = false;
  std::string addition_;
};

}  // namespace

std::vector<std::string> broken_promises(const Facts& released, const Facts& today, bool draft) {
  return Comparison(released, today).run(draft);
}

}  // namespace vmcp::abi_facts
