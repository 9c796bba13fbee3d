#include "common/change.h"
#include "common/schema.h"
#include "snapshot/tools.h"
#include "snapshot/tree.h"

namespace vmcp::plugins::snapshot {

namespace {

json list_item(const Snapshot& snapshot) {
  return {{"snapshot", snapshot.id},
          {"name", snapshot.name},
          {"description", snapshot.description},
          {"created", snapshot.created},
          {"power_state", snapshot.power_state},
          {"quiesced", snapshot.quiesced},
          {"current", snapshot.current},
          {"parent", snapshot.parent.empty() ? json() : json(snapshot.parent)},
          {"children", snapshot.children},
          {"depth", snapshot.depth}};
}

status run_list(call& c, const args& a) {
  const Tree tree = read_tree(c, a.text("vm_id"));
  if (!tree.source) return c.fail(tree.source);
  json out = envelope(c);
  json items = json::array();
  json current;
  for (const Snapshot& snapshot : tree.snapshots) {
    if (snapshot.current) current = snapshot.id;
    items.push_back(list_item(snapshot));
  }
  out["vm"] = vm_of(c, a);
  out["count"] = items.size();
  out["current"] = std::move(current);
  out["truncated"] = tree.truncated;
  out["snapshots"] = std::move(items);
  return c.json(out);
}

json list_item_schema() {
  const json id_or_null{{"type", {"string", "null"}}, {"description", "Id; null for a root."}};
  return {{"type", "object"},
          {"properties",
           {{"snapshot", string_schema("Its id, to be given as snapshot_id.")},
            {"name", string_schema()},
            {"description", string_schema()},
            {"created", string_schema("Date and time, ISO 8601.")},
            {"power_state", string_schema("Of the VM when it was taken.")},
            {"quiesced", boolean_schema()},
            {"current", boolean_schema("The VM goes on from this one.")},
            {"parent", id_or_null},
            {"children", {{"type", "array"}, {"items", {{"type", "string"}}}}},
            {"depth", integer_schema("0 for a root.")}}},
          {"required", {"snapshot", "name", "parent", "current"}}};
}

}  // namespace

void declare_list_vm_snapshots(tool_builder& tool) {
  tool.title("List the snapshots of a virtual machine")
      .describe(
          "Lists the snapshots of one virtual machine as a tree: every snapshot with its id, its parent and "
          "its "
          "children, parents first, and which one is current.")
      .reads()
      .idempotent()
      .privileges("System.Read")
      .view(kTreeView)
      .input(input_schema({{"vm_id", vm_argument()}}, {"vm_id"}))
      .output(output_schema(
          {{"vm", object_schema()},
           {"count", integer_schema()},
           {"current",
            {{"type", {"string", "null"}}, {"description", "The current snapshot; null without any."}}},
           {"truncated", boolean_schema()},
           {"snapshots", {{"type", "array"}, {"items", list_item_schema()}}}},
          {"count", "current", "snapshots"}))
      .run(run_list);
}

}  // namespace vmcp::plugins::snapshot
