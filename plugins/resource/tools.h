// The tools of this plugin; each is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::resource {

void declare_get_resource_utilization_summary(tool_builder& tool);
void declare_modify_vm_resources(tool_builder& tool);

}  // namespace vmcp::plugins::resource
