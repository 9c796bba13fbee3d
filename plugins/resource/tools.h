// What this plugin offers; each tool is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::resource {

constexpr const char* kUtilizationView = "ui://org.vmcp.resource/utilization";

void declare_get_resource_utilization_summary(tool_builder& tool);
void declare_modify_vm_resources(tool_builder& tool);

void declare_safe_resize(prompt_builder& prompt);
status complete_resource_prompts(call& c, const completing& what);

}  // namespace vmcp::plugins::resource
