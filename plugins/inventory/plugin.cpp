// Hosts, datastores, networks and datacenters.
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

struct InventoryPlugin : plugin {
  InventoryPlugin() {
    uses({VMCP_IFACE_INVENTORY});
    declare_list_hosts(tool("list_hosts"));
    declare_list_datastores(tool("list_datastores"));
    declare_list_networks(tool("list_networks"));
    declare_list_datacenters(tool("list_datacenters"));
    declare_get_datastore_usage(tool("get_datastore_usage"));
    declare_datastore_running_full(prompt("datastore_running_full"));
    declare_pre_maintenance_check(prompt("pre_maintenance_check"));
    completion(complete_inventory_prompts);
  }
};

}  // namespace vmcp::plugins::inventory

VMCP_PLUGIN(vmcp::plugins::inventory::InventoryPlugin, "org.vmcp.inventory", VMCP_PLUGIN_VERSION)
