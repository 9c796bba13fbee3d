// The child's end of the lanes: one thread each, which runs one round after the other.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <vector>

#include "plugin_host/carrier.h"

namespace vmcp::runner {

// Serves for the rest of the process's life. `carrier` is never destroyed while a lane may run a round: the
// server sees to that. `cancels` has one flag per lane, set by the server.
void serve_lanes(const std::vector<int>& descriptors, std::atomic<bool>* cancels,
                 plugin_host::Carrier& carrier);

}  // namespace vmcp::runner
