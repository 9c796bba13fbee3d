// What this plugin offers; each tool is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::vm {

void declare_list_vms(tool_builder& tool);
void declare_get_vm_details(tool_builder& tool);
void declare_power_on_vm(tool_builder& tool);
void declare_power_off_vm(tool_builder& tool);
void declare_restart_vm(tool_builder& tool);
void declare_delete_vm(tool_builder& tool);

void declare_what_happened_to_vm(prompt_builder& prompt);
status complete_vm_prompts(call& c, const completing& what);

}  // namespace vmcp::plugins::vm
