#include "common/change.h"
#include "common/object.h"
#include "common/power_state.h"
#include "common/schema.h"
#include "vm/tools.h"

namespace vmcp::plugins::vm {

namespace {

std::string refusal(const json& vm, const std::string& state) {
  if (state == kSuspended)
    return label(vm) +
           " is suspended and is not deleted. Power it off first with power_off_vm (its suspended memory is "
           "then "
           "lost), then delete it.";
  return label(vm) +
         " is running and is not deleted. Shut its guest system down or power it off with power_off_vm, then "
         "delete "
         "it.";
}

status run_delete(call& c, const args& a) {
  const std::string id = a.text("vm_id");
  const json vm = vm_of(c, a);
  const PowerState before = read_power_state(c, id);
  if (!before.source) return c.fail(before.source);
  if (before.value != kPoweredOff) return c.fail(status::conflict, refusal(vm, before.value));

  json result{{"vm", vm}};
  const reply sent = c.vcenter().del(path("/api/vcenter/vm/{}", id));
  if (sent) {
    result["deleted"] = true;
    return completed(c, result, true, label(vm) + " was deleted, with its files.");
  }
  // Somebody started it between the two requests.
  if (error_type(sent) == "NOT_ALLOWED_IN_CURRENT_STATE")
    return c.fail(status::conflict, sent.error + " " + refusal(vm, kPoweredOn));
  if (sent.status == status::timeout)
    return still_running(c, result, "The deletion of " + label(vm), "Look for it with list_vms");
  return fail_change(c, sent);
}

std::size_t count_snapshots(const json& trees) {
  std::size_t count = 0;
  std::vector<const json*> open{&trees};
  while (!open.empty()) {
    const json* level = open.back();
    open.pop_back();
    if (!level->is_array()) continue;
    for (const json& tree : *level) {
      ++count;
      const auto children = tree.find("childSnapshotList");
      if (children != tree.end()) open.push_back(&*children);
    }
  }
  return count;
}

status preview_delete(call& c, const args& a) {
  const std::string id = a.text("vm_id");
  const PowerState now = read_power_state(c, id);
  if (!now.source) return c.fail(now.source);
  json before{{"power_state", now.value}};
  json warnings = json::array();
  if (now.value != kPoweredOff) warnings.push_back(refusal(vm_of(c, a), now.value));
  warnings.push_back("Its files are removed from the datastore: this cannot be undone.");

  const reply found = c.inventory().get("vm", id, json::array({"snapshot", "summary.storage.committed"}));
  if (!found) {
    before["unavailable"] = {{"snapshot, summary.storage.committed", found.error}};
  } else {
    const json object = parse(found);
    copy_property(before, "storage_committed_bytes", object, "summary.storage.committed");
    copy_unavailable(before, object);
    const json snapshots = property(object, "snapshot");
    const std::size_t count =
        snapshots.is_object() ? count_snapshots(snapshots.value("rootSnapshotList", json::array())) : 0;
    before["snapshots"] = count;
    if (count > 0) warnings.push_back("Its " + std::to_string(count) + " snapshot(s) are removed with it.");
  }
  return preview_answer(c, "delete", vm_of(c, a), std::move(before), {{"deleted", now.value == kPoweredOff}},
                        std::move(warnings));
}

}  // namespace

void declare_delete_vm(tool_builder& tool) {
  tool.title("Delete a virtual machine")
      .describe(
          "Deletes a virtual machine and its files for good. It must be powered off: one that runs or is "
          "suspended "
          "is refused, never switched off silently.")
      .destroys()
      .task_optional()
      .needs_confirm()
      .privileges("VirtualMachine.Inventory.Delete")
      .input(input_schema({{"vm_id", vm_argument()}}, {"vm_id"}))
      .output(result_output_schema({{"deleted", boolean_schema()}}))
      .run(run_delete)
      .preview(preview_delete);
}

}  // namespace vmcp::plugins::vm
