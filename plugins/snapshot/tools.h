// What this plugin offers; each tool is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::snapshot {

constexpr const char* kTreeView = "ui://org.vmcp.snapshot/tree";

void declare_list_vm_snapshots(tool_builder& tool);
void declare_create_vm_snapshot(tool_builder& tool);
void declare_delete_vm_snapshot(tool_builder& tool);

void declare_snapshot_ageing_review(prompt_builder& prompt);
status complete_snapshot_prompts(call& c, const completing& what);

}  // namespace vmcp::plugins::snapshot
