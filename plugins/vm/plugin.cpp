// Virtual machines: list, details, power, delete; and a runbook about what happened to one.
#include "vm/tools.h"

namespace vmcp::plugins::vm {

struct VmPlugin : plugin {
  VmPlugin() {
    uses({VMCP_IFACE_INVENTORY, VMCP_IFACE_VCENTER, VMCP_IFACE_VIM});
    declare_list_vms(tool("list_vms"));
    declare_get_vm_details(tool("get_vm_details"));
    declare_power_on_vm(tool("power_on_vm"));
    declare_power_off_vm(tool("power_off_vm"));
    declare_restart_vm(tool("restart_vm"));
    declare_delete_vm(tool("delete_vm"));
    declare_what_happened_to_vm(prompt("what_happened_to_vm"));
    completion(complete_vm_prompts);
  }
};

}  // namespace vmcp::plugins::vm

VMCP_PLUGIN(vmcp::plugins::vm::VmPlugin, "org.vmcp.vm", VMCP_PLUGIN_VERSION)
