// What rules may ask of an object beyond what Object holds: power state, cluster and tags.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "inventory/object.h"

namespace vmcp::inventory {

// What a rule may ask of an object beyond what Object holds.
struct FactsWanted {
  bool power = false, cluster = false;
  // "category/tag": those that rules name. One that does not exist, or that this server's vCenter account may
  // not read (vCenter lists neither), is told in Facts::absent_tags.
  std::vector<std::string> tags;
  bool none() const { return !power && !cluster && tags.empty(); }
};

// A part of an object (a snapshot) has no facts of its own: ask for those of its whole.
struct Facts {
  // "POWERED_ON", "POWERED_OFF", "SUSPENDED" of VMs and hosts, "STANDBY" of hosts; nothing for what has none
  std::optional<std::string> power;
  std::optional<std::string> cluster;       // inventory path; nothing when it is in none
  std::set<std::string, std::less<>> tags;  // of the wanted ones, those attached to this very object
  // Wanted, and not listed by vCenter: nobody can tell whether they are attached to anything.
  std::set<std::string, std::less<>> absent_tags;
  // False: something wanted is not known of this object, so that nothing that is limited by a rule may be
  // done to it or told of it, whatever the members above say. Only a FactTable gives that; Inventory::facts
  // is an error instead.
  bool known = true;
};

// Power and cluster of VMs and hosts by MoRef, as one reading found them.
struct StateTable {
  std::unordered_map<std::string, Facts> by_id;
  std::uint64_t generation = 0;  // of the changes that were known when the reading began
  SteadyTime read_at{};          // when the reading ended
};

// Which of the wanted tags are attached to what: MoRef → tags.
struct TagTable {
  std::unordered_map<std::string, std::set<std::string, std::less<>>> by_id;
  std::set<std::string, std::less<>> absent;  // wanted, and not listed by vCenter
  std::uint64_t generation = 0;
  SteadyTime read_at{};
};

// The facts of every object of a vCenter, for filtering lists. Immutable. [any thread]
class FactTable {
 public:
  // A table that is null holds nothing; it must be there if `wanted` asks for what it tells.
  FactTable(FactsWanted wanted, std::shared_ptr<const StateTable> states,
            std::shared_ptr<const TagTable> tags)
      : wanted_(std::move(wanted)), states_(std::move(states)), tags_(std::move(tags)) {}

  // Facts::known is false for an object whose state could not be read, and for one that is younger than the
  // table.
  Facts of(const Object& object) const;

  // The wanted tags that vCenter does not list: for telling an operator that a rule names what is not there.
  std::set<std::string, std::less<>> absent_tags() const {
    return tags_ ? tags_->absent : std::set<std::string, std::less<>>{};
  }

 private:
  FactsWanted wanted_;
  std::shared_ptr<const StateTable> states_;
  std::shared_ptr<const TagTable> tags_;
};

}  // namespace vmcp::inventory
