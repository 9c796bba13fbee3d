// What one caller sees of one vCenter's inventory, by the policy of one moment: the one filter behind
// resolution, lists, resources, completion, previews and watches.
#pragma once

#include "base/cancel.h"
#include "base/clock.h"
#include "base/principal.h"
#include "base/result.h"
#include "inventory/inventory.h"
#include "policy/policy.h"

namespace vmcp::pipeline {

// Reads what the caller's rules must know of objects to show them (tags, clusters), if they ask for anything.
// What could not be read is an error: better no list than a wrong one. The filter keeps the policy for as
// long as it is held. [any thread]
Result<inventory::Visible> sight(policy::PolicyPtr policy, const Principal& principal, WallTime now,
                                 inventory::Inventory& inventory, vcenter::Connection& vcenter,
                                 const CallLimits& limits);

}  // namespace vmcp::pipeline
