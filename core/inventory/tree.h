// Names and parents of a vCenter's objects, and the inventory paths that follow from them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inventory/inventory.h"
#include "inventory/kinds.h"

namespace vmcp::inventory {

struct Node {
  std::string id, type, name, parent;  // parent: MoRef, empty at the root
  std::string path;                    // this and the next two are filled by Tree::finish
  std::string datacenter, cluster;     // as in Object
  bool in_vapp = false;                // the parent is a vApp
};

// `name` as a segment of a path. vCenter writes '%', '/' and '\\' of a name as escapes already, so only a
// bare '/' is left to do.
std::string path_segment(std::string_view name);

// What a path starts with when a parent may not be read by this server's vCenter account.
inline constexpr std::string_view kUnknownParent = "/?";

// Everything but virtual machines: small, and enough to say where a VM is. Immutable after finish().
class Tree {
 public:
  Tree() = default;
  Tree(const Tree&) = delete;  // places_ points into nodes_
  Tree& operator=(const Tree&) = delete;

  void add(Node node);
  // Makes every path. A ring of parents, which no vCenter has, ends as an unknown parent.
  void finish();

  const Node* find(std::string_view id) const;
  const std::vector<Node>& nodes() const { return nodes_; }
  // Path, datacenter and cluster of an object whose type and name are set, in `parent`: null when that is not
  // in the tree.
  static void place(Object& object, const Node* parent);
  // True when `id` is `ancestor` or somewhere below it.
  bool inside(std::string_view id, std::string_view ancestor) const;

  std::string root;              // MoRef of the root folder: the only object whose path is "/"
  bool with_vapps = false;       // vApps were read as well
  std::uint64_t generation = 0;  // of the changes that were known when the reading began
  SteadyTime read_at{};          // when the reading ended

 private:
  const Node& placed(std::size_t index, std::size_t depth);

  std::vector<Node> nodes_;
  std::unordered_map<std::string_view, std::size_t> places_;  // into nodes_' strings; built by finish()
};

// id, type, name and parent of an ObjectContent. For a VM in a vApp the parent is the vApp, for a vApp its
// folder.
Node read_node(const Json& content);

// Most vCenters have no vApps: they are only read when a VM was seen in one.
Result<std::shared_ptr<Tree>> read_tree(vcenter::Connection& vc, bool with_vapps, const Limits& limits,
                                        const CallLimits& call);

}  // namespace vmcp::inventory
