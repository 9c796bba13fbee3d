// The tools of this plugin; each is declared and done in a file of its own.
#pragma once

#include <vmcp/json.hpp>

namespace vmcp::plugins::inventory {

void declare_list_datacenters(tool_builder& tool);

}  // namespace vmcp::plugins::inventory
