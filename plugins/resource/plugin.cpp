// CPU, memory and storage: how much of it is used, and how much a virtual machine gets.
#include "common/view.h"
#include "resource/tools.h"
#include "resource/utilization_html.h"

namespace vmcp::plugins::resource {

struct ResourcePlugin : plugin {
  ResourcePlugin() {
    uses({VMCP_IFACE_INVENTORY, VMCP_IFACE_VCENTER});
    declare_get_resource_utilization_summary(tool("get_resource_utilization_summary"));
    declare_view(resource(kUtilizationView), kUtilizationHtml)
        .name("utilization")
        .title("Resource utilization")
        .describe(
            "Bars of CPU, memory and storage for every cluster; shows get_resource_utilization_summary.");
    declare_modify_vm_resources(tool("modify_vm_resources"));
    declare_safe_resize(prompt("safe_resize"));
    completion(complete_resource_prompts);
  }
};

}  // namespace vmcp::plugins::resource

VMCP_PLUGIN(vmcp::plugins::resource::ResourcePlugin, "org.vmcp.resource", VMCP_PLUGIN_VERSION)
