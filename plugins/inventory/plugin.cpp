// Hosts, datastores, networks and datacenters.
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

struct InventoryPlugin : plugin {
  InventoryPlugin() {
    uses({VMCP_IFACE_INVENTORY});
    declare_list_datacenters(tool("list_datacenters"));
  }
};

}  // namespace vmcp::plugins::inventory

VMCP_PLUGIN(vmcp::plugins::inventory::InventoryPlugin, "org.vmcp.inventory", VMCP_PLUGIN_VERSION)
