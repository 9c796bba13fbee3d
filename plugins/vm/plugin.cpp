// Virtual machines: list, details, power, delete.
#include "vm/tools.h"

namespace vmcp::plugins::vm {

struct VmPlugin : plugin {
  VmPlugin() {
    uses({VMCP_IFACE_INVENTORY, VMCP_IFACE_VCENTER});
    declare_list_vms(tool("list_vms"));
  }
};

}  // namespace vmcp::plugins::vm

VMCP_PLUGIN(vmcp::plugins::vm::VmPlugin, "org.vmcp.vm", VMCP_PLUGIN_VERSION)
