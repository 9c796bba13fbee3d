// Finding one snapshot in the tree of its VM.
#pragma once

#include <string_view>

#include "inventory/inventory.h"

namespace vmcp::inventory {

Result<Object> resolve_snapshot(vcenter::Connection& vc, const Object& vm, std::string_view text,
                                const Limits& limits, const CallLimits& call);

}  // namespace vmcp::inventory
