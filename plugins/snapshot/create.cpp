#include "common/object.h"
#include "common/schema.h"
#include "common/task_end.h"
#include "snapshot/tools.h"
#include "snapshot/tree.h"

namespace vmcp::plugins::snapshot {

namespace {

std::string what(const json& vm, const args& a) {
  return "The snapshot \"" + a.text("snapshot_name") + "\" of " + label(vm);
}

constexpr const char* kHowToLookForNew = "Look for it with list_vm_snapshots";

status end(call& c, const args& a, const task_info& task) {
  const json vm = vm_of(c, a);
  json result{{"vm", vm}, {"name", a.text("snapshot_name")}};
  if (task.running()) return task_still_running(c, result, task, what(vm, a), kHowToLookForNew);
  if (task.failed()) return fail_task(c, task, what(vm, a));
  const std::string id = moref(task.result);
  if (!id.empty()) result["snapshot"] = id;
  return completed(c, result, true, what(vm, a) + " was created" + (id.empty() ? "." : " (" + id + ")."));
}

status run_create(call& c, const args& a) {
  if (c.resumed()) return end(c, a, task_of(c));
  // CreateSnapshotEx_Task would only add tuning of the quiescing, and not every server has it.
  const reply started = c.vim().call("VirtualMachine", a.text("vm_id"), "CreateSnapshot_Task",
                                     json{{"name", a.text("snapshot_name")},
                                          {"description", a.text("description")},
                                          {"memory", a.flag("memory")},
                                          {"quiesce", a.flag("quiesce")}});
  const json vm = vm_of(c, a);
  const json result{{"vm", vm}, {"name", a.text("snapshot_name")}};
  if (started.status == status::timeout) return still_running(c, result, what(vm, a), kHowToLookForNew);
  if (!started) return fail_change(c, started);
  return follow(c, started, result, what(vm, a), kHowToLookForNew);
}

json warnings_of(const args& a, const json& vm_object, const Tree& tree) {
  json out = json::array();
  const bool runs = text_property(vm_object, "runtime.powerState") == "poweredOn";
  const bool tools = text_property(vm_object, "guest.toolsRunningStatus") == "guestToolsRunning";
  if (a.flag("memory") && !runs) out.push_back("memory has no effect: the virtual machine does not run.");
  if (a.flag("memory") && runs) out.push_back("With memory the virtual machine pauses for a moment.");
  if (a.flag("quiesce") && !runs) out.push_back("quiesce has no effect: the virtual machine does not run.");
  if (a.flag("quiesce") && runs && !tools)
    out.push_back("quiesce needs VMware Tools running in the guest, and they are not.");
  for (const Snapshot& snapshot : tree.snapshots) {
    if (snapshot.name != a.text("snapshot_name")) continue;
    out.push_back("There is a snapshot of this name already (" + snapshot.id +
                  "); names need not be unique.");
    break;
  }
  return out;
}

status preview_create(call& c, const args& a) {
  const std::string id = a.text("vm_id");
  const Tree tree = read_tree(c, id);
  if (!tree.source) return c.fail(tree.source);
  const reply found =
      c.inventory().get("vm", id, json::array({"runtime.powerState", "guest.toolsRunningStatus"}));
  if (!found) return c.fail(found);
  const json object = parse(found);
  json current;
  for (const Snapshot& snapshot : tree.snapshots) {
    if (snapshot.current) current = snapshot.id;
  }
  const std::size_t count = tree.snapshots.size();
  return preview_answer(
      c, "create snapshot", vm_of(c, a),
      {{"snapshots", count},
       {"current", std::move(current)},
       {"power_state", automation_enum(text_property(object, "runtime.powerState"))}},
      {{"snapshots", count + 1}, {"current", "a new one named \"" + a.text("snapshot_name") + "\""}},
      warnings_of(a, object, tree));
}

json input_properties() {
  return {
      {"vm_id", vm_argument()},
      {"snapshot_name",
       {{"type", "string"}, {"minLength", 1}, {"maxLength", 256}, {"description", "The snapshot's name."}}},
      {"description",
       {{"type", "string"}, {"maxLength", 4096}, {"default", ""}, {"description", "Why it was taken."}}},
      {"memory",
       {{"type", "boolean"},
        {"default", false},
        {"description", "Keep the memory of a running VM as well."}}},
      {"quiesce",
       {{"type", "boolean"},
        {"default", false},
        {"description", "Let VMware Tools bring the guest's file systems into a consistent state first."}}}};
}

}  // namespace

void declare_create_vm_snapshot(tool_builder& tool) {
  tool.title("Create a snapshot")
      .describe(
          "Takes a snapshot of a virtual machine and answers with its id. memory keeps the state of a "
          "running "
          "system, quiesce makes its file systems consistent first. Snapshots are no backups: they grow and "
          "slow "
          "the virtual machine down until they are deleted.")
      .changes()
      .task_optional()
      .privileges("VirtualMachine.State.CreateSnapshot")
      .time_hint_ms(60'000)
      .input(input_schema(input_properties(), {"vm_id", "snapshot_name"}))
      .output(result_output_schema(
          {{"snapshot", string_schema("The new snapshot's id.")}, {"name", string_schema()}}))
      .run(run_create)
      .preview(preview_create);
}

}  // namespace vmcp::plugins::snapshot
