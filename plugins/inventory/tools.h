// The tools of this plugin; each is declared and done in a file of its own.
#pragma once

#include "common/json.h"

namespace vmcp::plugins::inventory {

void declare_list_hosts(tool_builder& tool);
void declare_list_datastores(tool_builder& tool);
void declare_list_networks(tool_builder& tool);
void declare_list_datacenters(tool_builder& tool);
void declare_get_datastore_usage(tool_builder& tool);

constexpr int kMostItems = 1000;

}  // namespace vmcp::plugins::inventory
