// Which properties vim25's objects have, and how each is written: one static tree of nodes per type. A
// property path is resolved against the tree once per request; per object only the found node's writer runs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/vim_write.h"
#include "simulator/world.h"

namespace vmcp::simulator {

struct Subject {
  const Entity& entity;
  World& world;

  template <class T>
  const T& as() const {
    return static_cast<const T&>(entity);
  }
  // Statistics cache inside the objects; the mutex is held, so this is the one place that casts.
  Vm& vm() const { return const_cast<Vm&>(as<Vm>()); }
  Host& host() const { return const_cast<Host&>(as<Host>()); }
  Millis now() const { return world.now; }
};

struct Node {
  std::string_view name;  // for `absent`: all names of the struct that this vCenter leaves unset
  std::string_view
      type;  // wire type: "int", "ArrayOfString", "ManagedObjectReference", "VirtualMachineSummary"
  // A leaf's value; for a struct, whether it is set (null = always). Appends nothing when it returns false.
  bool (*write)(std::string& out, const Subject& subject) = nullptr;
  std::span<const Node> fields = {};
  bool is_struct = false;
  bool is_absent = false;
  bool view_only = false;  // System.View suffices to read it
  // A struct whose wire type depends on the object, a subtype of `type`.
  const char* (*subtype)(const Subject& subject) = nullptr;
};

constexpr Node leaf(std::string_view name, std::string_view type,
                    bool (*write)(std::string&, const Subject&)) {
  return {name, type, write};
}
// Readable with System.View.
constexpr Node seen(std::string_view name, std::string_view type,
                    bool (*write)(std::string&, const Subject&)) {
  return {name, type, write, {}, false, false, true};
}
constexpr Node structure(std::string_view name, std::string_view type, std::span<const Node> fields,
                         bool (*is_set)(std::string&, const Subject&) = nullptr) {
  return {name, type, is_set, fields, true};
}
// Valid in vim25, optional, and never set here: reading it yields nothing rather than a fault.
constexpr Node absent(std::string_view names) {
  return {names, {}, nullptr, {}, false, true};
}
constexpr Node yes(std::string_view name) {
  return {name, "boolean", [](std::string& out, const Subject&) { return put(out, true); }};
}
constexpr Node no(std::string_view name) {
  return {name, "boolean", [](std::string& out, const Subject&) { return put(out, false); }};
}

// The nodes on the way to a property, outermost first; empty = no such property.
using Path = std::vector<const Node*>;
Path find_path(Kind kind, std::string_view path);
// Top-level properties of a type.
std::vector<const Node*> properties_of(Kind kind);

// Writes the value as the schema types it: what GET of a property answers. False: unset.
bool write_value(std::string& out, const Path& path, const Subject& subject);
// Writes the value as an Any: boxed unless it is a struct or a reference. False: unset.
bool write_any(std::string& out, const Path& path, const Subject& subject);

// The references behind a property path that a TraversalSpec may follow; empty when it has none.
std::vector<const Entity*> references(World& world, const Entity& entity, std::string_view path);

// The tables, by file.
std::span<const Node> entity_nodes();  // vim_entity.cpp: ManagedEntity
std::span<const Node> folder_nodes();
std::span<const Node> datacenter_nodes();
std::span<const Node> vm_nodes();         // vim_vm.cpp
std::span<const Node> vm_config_nodes();  // vim_vm_config.cpp
std::span<const Node> guest_nodes();      // vim_vm_guest.cpp
std::span<const Node> guest_summary_nodes();
std::span<const Node> capability_nodes();
std::span<const Node> snapshot_nodes();  // vim_snapshot.cpp
std::span<const Node> host_nodes();      // vim_host.cpp
std::span<const Node> cluster_nodes();   // vim_cluster.cpp
std::span<const Node> pool_nodes();
std::span<const Node> datastore_nodes();  // vim_storage.cpp
std::span<const Node> network_nodes();    // vim_network.cpp
std::span<const Node> portgroup_nodes();
std::span<const Node> dvs_nodes();
std::span<const Node> task_nodes();     // vim_task.cpp
std::span<const Node> service_nodes();  // vim_service.cpp
std::span<const Node> view_nodes();     // vim_views.cpp

bool has_snapshots(const Vm& vm);
bool put_snapshot_list(std::string& out, const std::vector<Snapshot*>& list);  // VirtualMachineSnapshotTree[]
bool put_devices(std::string& out, const Vm& vm);                              // VirtualDevice[]

}  // namespace vmcp::simulator
