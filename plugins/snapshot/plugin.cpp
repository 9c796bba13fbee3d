// Snapshots of virtual machines. They exist only in vim25, in no release of the Automation API.
#include "common/view.h"
#include "snapshot/tools.h"
#include "snapshot/tree_html.h"

namespace vmcp::plugins::snapshot {

struct SnapshotPlugin : plugin {
  SnapshotPlugin() {
    uses({VMCP_IFACE_INVENTORY, VMCP_IFACE_VIM});
    declare_list_vm_snapshots(tool("list_vm_snapshots"));
    declare_view(resource(kTreeView), kTreeHtml)
        .name("tree")
        .title("Snapshot tree")
        .describe("The snapshots of a virtual machine as a tree, with their ages; shows list_vm_snapshots.");
    declare_create_vm_snapshot(tool("create_vm_snapshot"));
    declare_delete_vm_snapshot(tool("delete_vm_snapshot"));
    declare_snapshot_ageing_review(prompt("snapshot_ageing_review"));
    completion(complete_snapshot_prompts);
  }
};

}  // namespace vmcp::plugins::snapshot

VMCP_PLUGIN(vmcp::plugins::snapshot::SnapshotPlugin, "org.vmcp.snapshot", VMCP_PLUGIN_VERSION)
