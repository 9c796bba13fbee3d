#include "common/schema.h"
#include "common/task_end.h"
#include "snapshot/tools.h"
#include "snapshot/tree.h"

namespace vmcp::plugins::snapshot {

namespace {

constexpr const char* kHowToLookForOld = "Look for it with list_vm_snapshots";

// What the second round must still know: {"name","parent","children":[{"snapshot","name"}],"more"}. A host
// keeps at most VMCP_STATE_MAX_BYTES, so a long list of children is cut, and says so.
json facts_of(const Tree& tree, const Snapshot& snapshot) {
  constexpr std::size_t kRoomForChildren = VMCP_STATE_MAX_BYTES / 2;
  constexpr std::size_t kNameBytes = 120;  // six times as much when every byte is escaped
  const Snapshot* parent = tree.find(snapshot.parent);
  json out{{"name", snapshot.name.substr(0, kNameBytes)},
           {"parent", snapshot.parent},
           {"parent_name", parent == nullptr ? "" : parent->name.substr(0, kNameBytes)},
           {"children", json::array()},
           {"more", 0}};
  std::size_t used = 0, kept = 0;
  for (const std::string& id : snapshot.children) {
    const Snapshot* child = tree.find(id);
    json entry{{"snapshot", id}, {"name", child == nullptr ? "" : child->name}};
    used += entry.dump(-1, ' ', true, json::error_handler_t::replace).size();
    if (used > kRoomForChildren) break;
    out["children"].push_back(std::move(entry));
    ++kept;
  }
  out["more"] = snapshot.children.size() - kept;
  return out;
}

// "Its 2 children (a, b) are kept and now hang below base."
std::string about_children(const json& facts, const char* verb) {
  const std::size_t more = facts.value("more", std::size_t{0});
  const std::size_t count = facts["children"].size() + more;
  if (count == 0) return "It has no children.";
  std::string names;
  for (const json& child : facts["children"]) {
    if (!names.empty()) names += ", ";
    names += child.value("name", "") + " (" + child.value("snapshot", "") + ")";
  }
  if (more > 0) names += " and " + std::to_string(more) + " more";
  const std::string parent = facts.value("parent", "");
  const std::string place =
      parent.empty() ? "become roots" : "hang below " + facts.value("parent_name", "") + " (" + parent + ")";
  return "Its " + std::to_string(count) + (count == 1 ? " child, " : " children, ") + names + ", " + verb +
         " and " + place + ".";
}

std::string what(const json& vm, const std::string& snapshot, const json& facts) {
  return "The deletion of snapshot \"" + facts.value("name", "") + "\" (" + snapshot + ") of " + label(vm);
}

status end(call& c, const args& a, const task_info& task, const json& facts) {
  const json vm = vm_of(c, a);
  const std::string id = a.text("snapshot_id");
  json result{{"vm", vm}, {"snapshot", id}, {"name", facts.value("name", "")}};
  result["kept_children"] = facts.value("children", json::array());
  if (task.running()) return task_still_running(c, result, task, what(vm, id, facts), kHowToLookForOld);
  if (task.failed()) return fail_task(c, task, what(vm, id, facts));
  result["deleted"] = true;
  return completed(c, result, true,
                   "Snapshot \"" + facts.value("name", "") + "\" (" + id + ") of " + label(vm) +
                       " was deleted. " + about_children(facts, "were kept"));
}

status gone(call& c, const args& a) {
  return c.fail(status::not_found, "There is no snapshot " + a.text("snapshot_id") + " of " +
                                       label(vm_of(c, a)) +
                                       " any more. list_vm_snapshots shows those that there are.");
}

status run_remove(call& c, const args& a) {
  if (c.resumed()) return end(c, a, task_of(c), json::parse(c.state()));
  const std::string id = a.text("snapshot_id");
  const Tree tree = read_tree(c, a.text("vm_id"));
  if (!tree.source) return c.fail(tree.source);
  const Snapshot* snapshot = tree.find(id);
  if (snapshot == nullptr) return gone(c, a);

  const json facts = facts_of(tree, *snapshot);
  const reply started = c.vim().call("VirtualMachineSnapshot", id, "RemoveSnapshot_Task",
                                     json{{"removeChildren", false}, {"consolidate", true}});
  const json vm = vm_of(c, a);
  const json result{{"vm", vm}, {"snapshot", id}};
  if (started.status == status::timeout)
    return still_running(c, result, what(vm, id, facts), kHowToLookForOld);
  if (!started) return fail_change(c, started);
  return follow(c, started, result, what(vm, id, facts), kHowToLookForOld,
                facts.dump(-1, ' ', false, json::error_handler_t::replace));
}

status preview_remove(call& c, const args& a) {
  const std::string id = a.text("snapshot_id");
  const Tree tree = read_tree(c, a.text("vm_id"));
  if (!tree.source) return c.fail(tree.source);
  const Snapshot* snapshot = tree.find(id);
  if (snapshot == nullptr) return gone(c, a);
  const json facts = facts_of(tree, *snapshot);
  json warnings = json::array({"The state that this snapshot kept cannot be gone back to any more."});
  if (!snapshot->children.empty()) warnings.push_back(about_children(facts, "are kept"));
  const std::size_t count = tree.snapshots.size();
  return preview_answer(c, "delete snapshot", vm_of(c, a),
                        {{"snapshots", count},
                         {"snapshot", id},
                         {"name", snapshot->name},
                         {"created", snapshot->created},
                         {"current", snapshot->current}},
                        {{"snapshots", count - 1}, {"kept_children", facts["children"]}},
                        std::move(warnings));
}

json snapshot_argument() {
  return {{"type", "string"},
          {"minLength", 1},
          {"maxLength", 1024},
          {"x-vmcp-kind", "snapshot"},
          {"x-vmcp-within", "/vm_id"},
          {"description", "The snapshot: its id (snapshot-410) or exact name; see list_vm_snapshots."}};
}

}  // namespace

void declare_delete_vm_snapshot(tool_builder& tool) {
  tool.title("Delete a snapshot")
      .describe(
          "Deletes one snapshot of a virtual machine for good. The virtual machine goes on as it is now; "
          "children of "
          "the snapshot are kept and hang below its parent afterwards.")
      .destroys()
      .task_optional()
      .needs_confirm()
      .privileges("VirtualMachine.State.RemoveSnapshot")
      .time_hint_ms(120'000)
      .input(input_schema({{"vm_id", vm_argument()}, {"snapshot_id", snapshot_argument()}},
                          {"vm_id", "snapshot_id"}))
      .output(result_output_schema(
          {{"snapshot", string_schema()},
           {"name", string_schema()},
           {"deleted", boolean_schema()},
           {"kept_children",
            {{"type", "array"}, {"items", object_schema()}, {"description", "Children that were kept."}}}}))
      .run(run_remove)
      .preview(preview_remove);
}

}  // namespace vmcp::plugins::snapshot
