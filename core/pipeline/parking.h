// Calls that run as tasks wait for their vCenter tasks without a thread: the walk is written down as text,
// ends, and a later walk goes on from there, in this process or the next.
#pragma once

#include <string>

#include "pipeline/walk.h"

namespace vmcp::pipeline {

// Of a call whose plugin waits for a task: all that the next round needs.
std::string park(const Services& services, const Walk& walk);

// Which task of which vCenter a parked call waits for.
struct ParkedAt {
  std::string vcenter, task;
};
Result<ParkedAt> parked_at(const std::string& parked);

// Puts back what the steps before the plugin had found out. The INTENT of the call stands.
Result<void> unpark(Services& services, Walk& walk);
// Whether the caller may still change things; what was begun is looked at to its end in any case.
Result<void> authorise_again(Services& services, Walk& walk);

}  // namespace vmcp::pipeline
