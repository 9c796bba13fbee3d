#include "snapshot/tree.h"

#include <utility>

#include "common/object.h"

namespace vmcp::plugins::snapshot {

namespace {

// vSphere itself stops at 32 levels; the bounds only keep a broken answer from growing ours.
constexpr int kMostLevels = 64;
constexpr std::size_t kMostSnapshots = 1000;

Snapshot snapshot_of(const json& node, const std::string& parent, int depth, const std::string& current) {
  Snapshot out;
  out.id = moref(node.value("snapshot", json()));
  out.name = node.value("name", "");
  out.description = node.value("description", "");
  out.created = node.value("createTime", "");
  out.power_state = automation_enum(node.value("state", ""));
  out.quiesced = node.value("quiesced", false);
  out.parent = parent;
  out.depth = depth;
  out.current = !out.id.empty() && out.id == current;
  return out;
}

void flatten(const json& roots, const std::string& current, Tree& out) {
  struct Open {
    const json* node;
    std::string parent;
    int depth;
  };
  std::vector<Open> open;
  const auto push = [&](const json& level, const std::string& parent, int depth) {
    if (!level.is_array()) return;
    for (auto node = level.rbegin(); node != level.rend(); ++node) open.push_back({&*node, parent, depth});
  };
  push(roots, {}, 0);
  while (!open.empty()) {
    const Open next = std::move(open.back());
    open.pop_back();
    if (next.depth >= kMostLevels || out.snapshots.size() >= kMostSnapshots) {
      out.truncated = true;
      continue;
    }
    if (!next.node->is_object()) continue;
    Snapshot found = snapshot_of(*next.node, next.parent, next.depth, current);
    const auto children = next.node->find("childSnapshotList");
    if (children != next.node->end()) {
      if (children->is_array()) {
        for (const json& child : *children) found.children.push_back(moref(child.value("snapshot", json())));
      }
      push(*children, found.id, next.depth + 1);
    }
    out.snapshots.push_back(std::move(found));
  }
}

}  // namespace

const Snapshot* Tree::find(const std::string& id) const {
  for (const Snapshot& snapshot : snapshots) {
    if (snapshot.id == id) return &snapshot;
  }
  return nullptr;
}

Tree tree_of(const json& info) {
  Tree out;
  if (!info.is_object()) return out;  // unset: the VM has none
  flatten(info.value("rootSnapshotList", json::array()), moref(info.value("currentSnapshot", json())), out);
  return out;
}

Tree read_tree(const call& c, const std::string& vm) {
  reply source = c.vim().get("VirtualMachine", vm, "snapshot");
  Tree out = source ? tree_of(parse(source)) : Tree{};
  out.source = std::move(source);
  return out;
}

}  // namespace vmcp::plugins::snapshot
