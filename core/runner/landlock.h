// Files, TCP, signals and abstract sockets, by Landlock, as far as the kernel has it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vmcp::runner {

// The kernel's version of Landlock, 0 when there is none; then `why` says what is in the way.
int landlock_abi(std::string& why);

// Restricts this thread, and all that it starts, for good: nothing is opened but the files at and below
// `readable`, for reading. Uses what version `abi` (1 or more) knows. Needs no_new_privs.
Result<void> landlock_restrict(int abi, const std::vector<std::string>& readable);

}  // namespace vmcp::runner
