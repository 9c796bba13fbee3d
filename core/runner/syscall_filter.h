// Which system calls a plugin's process may make, by seccomp.
#pragma once

#include "base/result.h"

namespace vmcp::runner {

// Before the library is mapped: what computing, threads, reading files and talking through open descriptors
// need; every other call fails with EPERM (ENOSYS where libraries then take an older way). Memory is never
// writable and executable, nor first the one and then the other. Holds for this thread and all that it
// starts. Needs no_new_privs. The error's detail names what the kernel said.
Result<void> filter_before_load();

// Afterwards: no executable mapping at all, for every thread of the process.
Result<void> filter_after_load();

}  // namespace vmcp::runner
