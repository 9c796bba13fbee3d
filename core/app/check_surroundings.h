// What `plugin check` runs a plugin against: the simulated vCenter and the program for processes of their
// own.
#pragma once

#include "plugin_check/check.h"

namespace vmcp::app {

// Sets options.runner and options.vcenter. Ignores SIGPIPE for the process from here on, since a plugin that
// crashes leaves connections to the simulator behind.
void add_surroundings(plugin_check::CheckOptions& options);

}  // namespace vmcp::app
