#include "inventory/tree.h"

#include "inventory/traversal.h"
#include "inventory/values.h"

namespace vmcp::inventory {
namespace {

constexpr std::size_t kMaxTreeDepth = 64;

std::vector<TypeProperties> tree_properties(bool with_vapps) {
  std::vector<TypeProperties> out;
  for (const Kind& kind : all_kinds()) {
    if (kind.name != "vm") out.push_back({std::string(kind.base), {"name", "parent"}});
  }
  if (with_vapps) out.push_back({"VirtualApp", {"name", "parent", "parentFolder"}});
  return out;
}

// Fills `path`, `datacenter` and `cluster` of a Node or an Object.
template <class T>
void place_below(T& out, std::string_view type, std::string_view name, const Node* parent) {
  out.path = parent ? parent->path : std::string(kUnknownParent);
  if (out.path == "/") out.path.clear();
  out.path += '/';
  out.path += path_segment(name);
  out.datacenter = type == "Datacenter" ? out.path : parent ? parent->datacenter : std::string();
  out.cluster = type == "ClusterComputeResource" ? out.path : parent ? parent->cluster : std::string();
}

}  // namespace

std::string path_segment(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (char c : name) {
    if (c == '/')
      out += "%2f";
    else
      out += c;
  }
  return out;
}

void Tree::add(Node node) {
  nodes_.push_back(std::move(node));
}

void Tree::finish() {
  places_.reserve(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) places_.emplace(nodes_[i].id, i);
  for (std::size_t i = 0; i < nodes_.size(); ++i) placed(i, 0);
}

const Node& Tree::placed(std::size_t index, std::size_t depth) {
  Node& node = nodes_[index];
  if (!node.path.empty()) return node;
  if (node.id == root) {
    node.path = "/";
    return node;
  }
  auto found = places_.find(node.parent);
  bool known = found != places_.end() && depth <= kMaxTreeDepth;
  place_below(node, node.type, node.name, known ? &placed(found->second, depth + 1) : nullptr);
  return node;
}

const Node* Tree::find(std::string_view id) const {
  auto found = places_.find(id);
  return found == places_.end() ? nullptr : &nodes_[found->second];
}

void Tree::place(Object& object, const Node* parent) {
  place_below(object, object.type, object.name, parent);
}

bool Tree::inside(std::string_view id, std::string_view ancestor) const {
  for (std::size_t depth = 0; depth < kMaxTreeDepth && !id.empty(); ++depth) {
    if (id == ancestor) return true;
    const Node* node = find(id);
    if (!node) return false;
    id = node->parent;
  }
  return false;
}

Node read_node(const Json& content) {
  Node node;
  if (auto obj = content.find("obj"); obj != content.end() && obj->is_object()) {
    node.id = reference_value(*obj);
    node.type = obj->value("type", "");
  }
  std::string better_parent;
  auto set = content.find("propSet");
  if (set == content.end() || !set->is_array()) return node;
  for (const Json& property : *set) {
    if (!property.is_object() || !property.contains("name") || !property.contains("val")) continue;
    const Json& name = property["name"];
    if (name == "name") node.name = text_value(property["val"]);
    if (name == "parent") node.parent = reference_value(property["val"]);
    if (name == "parentVApp" || name == "parentFolder") better_parent = reference_value(property["val"]);
    node.in_vapp = node.in_vapp || (name == "parentVApp" && !better_parent.empty());
  }
  if (!better_parent.empty()) node.parent = std::move(better_parent);
  return node;
}

Result<std::shared_ptr<Tree>> read_tree(vcenter::Connection& vc, bool with_vapps, const Limits& limits,
                                        const CallLimits& call) {
  auto about = vc.about(call);
  if (!about) return about.error();
  auto tree = std::make_shared<Tree>();
  tree->root = about->root_folder;
  tree->with_vapps = with_vapps;
  auto done = read_all(vc, tree_properties(with_vapps), limits, call, [&](Json& content) {
    if (!content.is_object()) return;
    Node node = read_node(content);
    if (!node.id.empty()) tree->add(std::move(node));
  });
  if (!done) return done.error();
  tree->finish();
  return tree;
}

}  // namespace vmcp::inventory
