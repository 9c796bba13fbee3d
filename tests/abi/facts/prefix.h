// Whether today's headers keep what the headers of a release promised.
#pragma once

#include <string>
#include <vector>

#include "dwarf.h"

namespace vmcp::abi_facts {

// What a plugin that was built from `released` would find broken in a host that is built from `today`; empty
// when nothing. `draft`: additions need no higher VMCP_ABI_MINOR.
std::vector<std::string> broken_promises(const Facts& released, const Facts& today, bool draft);

}  // namespace vmcp::abi_facts
