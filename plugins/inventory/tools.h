// What this plugin offers; each tool is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::inventory {

void declare_list_hosts(tool_builder& tool);
void declare_list_datastores(tool_builder& tool);
void declare_list_networks(tool_builder& tool);
void declare_list_datacenters(tool_builder& tool);
void declare_get_datastore_usage(tool_builder& tool);

void declare_datastore_running_full(prompt_builder& prompt);
void declare_pre_maintenance_check(prompt_builder& prompt);
status complete_inventory_prompts(call& c, const completing& what);

constexpr int kMostItems = 1000;

}  // namespace vmcp::plugins::inventory
