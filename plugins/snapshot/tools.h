// The tools of this plugin; each is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::snapshot {

void declare_list_vm_snapshots(tool_builder& tool);
void declare_create_vm_snapshot(tool_builder& tool);
void declare_delete_vm_snapshot(tool_builder& tool);

}  // namespace vmcp::plugins::snapshot
