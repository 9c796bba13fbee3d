// Reading power states and clusters of objects.
#pragma once

#include <memory>
#include <vector>

#include "inventory/facts.h"
#include "inventory/rows.h"

namespace vmcp::inventory {

// The cluster of what runs on a host. False: the tree does not tell, because it does not hold the host or
// because the host's place is not known.
bool cluster_of_host(const Tree& tree, std::string_view host, std::optional<std::string>& cluster);

// What the reading of all objects of a kind says, added to the table.
void add_states(StateTable& out, const Rows& rows, const FactsWanted& wanted);

// Power state and host of one object, as they are now.
struct StateNow {
  std::string power;  // "POWERED_ON"; empty when it was not asked for, or is not known
  std::string host;   // MoRef, of a VM; empty likewise
  std::string why;    // the property that could not be read and vCenter's reason
};

// One request per 500 objects, in their order; VMs and hosts only, the others are left empty. Code::not_found
// when one of them is gone.
Result<std::vector<StateNow>> read_states(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                                          const FactsWanted& wanted, const Limits& limits,
                                          const CallLimits& call);

}  // namespace vmcp::inventory
