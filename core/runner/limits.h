// Resource limits of this process.
#pragma once

#include <vector>

#include "runner/sandbox.h"

namespace vmcp::runner {

// Sets the limits of `wish` and adds the parts "memory_limit", "thread_limit" and "other_limits".
Result<void> set_limits(const SandboxWish& wish, std::vector<SandboxPart>& parts);

}  // namespace vmcp::runner
