// What a traversal can follow from each object, and what a container view holds.
#include <unordered_set>

#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

template <class List>
std::vector<const Entity*> as_entities(const List& list) {
  return std::vector<const Entity*>(list.begin(), list.end());
}

std::vector<const Entity*> vm_references(const Vm& vm, std::string_view path) {
  if (path == "runtime.host" && vm.host != nullptr) return {vm.host};
  if (path == "resourcePool" && vm.pool != nullptr) return {vm.pool};
  if (path == "datastore" && vm.datastore != nullptr) return {vm.datastore};
  if (path == "rootSnapshot") return as_entities(vm.snapshot_roots);
  if (path == "network") {
    std::vector<const Entity*> out;
    for (const Nic& nic : vm.nics) out.push_back(nic.network);
    return out;
  }
  return {};
}

std::vector<const Entity*> datacenter_references(const Datacenter& site, std::string_view path) {
  if (path == "vmFolder") return {site.vm_folder};
  if (path == "hostFolder") return {site.host_folder};
  if (path == "datastoreFolder") return {site.datastore_folder};
  if (path == "networkFolder") return {site.network_folder};
  if (path == "datastore") return as_entities(site.datastores);
  if (path == "network")
    return site.networks.empty() ? std::vector<const Entity*>() : as_entities(site.networks);
  return {};
}

std::vector<const Entity*> compute_references(const Entity& entity, std::string_view path) {
  if (entity.kind == Kind::cluster) {
    const auto& cluster = static_cast<const Cluster&>(entity);
    if (path == "host") return as_entities(cluster.hosts);
    if (path == "resourcePool") return {cluster.root_pool};
    if (path == "datastore") return as_entities(cluster.datastores);
    if (path == "network") return as_entities(cluster.networks);
  } else if (entity.kind == Kind::host) {
    const auto& host = static_cast<const Host&>(entity);
    if (path == "vm") return as_entities(host.vms);
    if (path == "datastore") return as_entities(host.cluster->datastores);
    if (path == "network") return as_entities(host.cluster->networks);
  } else if (entity.kind == Kind::pool) {
    const auto& pool = static_cast<const Pool&>(entity);
    if (path == "vm") return as_entities(pool.vms);
    if (path == "resourcePool") return as_entities(pool.pools);
    if (path == "owner") return {pool.cluster};
  }
  return {};
}

std::vector<const Entity*> resource_references(const Entity& entity, std::string_view path) {
  if (entity.kind == Kind::datastore) {
    const auto& store = static_cast<const Datastore&>(entity);
    return path == "vm" ? as_entities(store.vms) : std::vector<const Entity*>();
  }
  const auto& network = static_cast<const Network&>(entity);
  if (path == "vm") return as_entities(network.vms);
  if (path == "host") return as_entities(network.hosts);
  return {};
}

// A container's children in the inventory tree, as a ContainerView walks it.
std::vector<const Entity*> children_of(const Entity& entity) {
  switch (entity.kind) {
    case Kind::folder:
      return as_entities(static_cast<const Folder&>(entity).children);
    case Kind::datacenter: {
      const auto& site = static_cast<const Datacenter&>(entity);
      return {site.vm_folder, site.host_folder, site.datastore_folder, site.network_folder};
    }
    case Kind::cluster: {
      const auto& cluster = static_cast<const Cluster&>(entity);
      std::vector<const Entity*> out = as_entities(cluster.hosts);
      out.push_back(cluster.root_pool);
      return out;
    }
    case Kind::pool: {
      const auto& pool = static_cast<const Pool&>(entity);
      std::vector<const Entity*> out = as_entities(pool.pools);
      out.insert(out.end(), pool.vms.begin(), pool.vms.end());
      return out;
    }
    case Kind::host:
      return as_entities(static_cast<const Host&>(entity).vms);
    default:
      return {};
  }
}

bool view_takes(const ContainerView& view, const Entity& entity) {
  if (view.types.empty()) return true;
  for (const std::string& type : view.types) {
    if (is_a(entity.kind, type)) return true;
  }
  return false;
}

void collect(const Entity& container, const ContainerView& view, std::vector<const Entity*>& out) {
  for (const Entity* child : children_of(container)) {
    if (view_takes(view, *child)) out.push_back(child);
    if (view.recursive) collect(*child, view, out);
  }
}

std::vector<const Entity*> view_references(World& world, const ContainerView& view) {
  const Entity* container = world.model.find(view.container_id);
  std::vector<const Entity*> out;
  if (container != nullptr) collect(*container, view, out);
  // A VM is below its folder, its pool and its host alike; it counts where it was met first.
  std::unordered_set<const Entity*> met;
  std::vector<const Entity*> once;
  once.reserve(out.size());
  for (const Entity* entity : out) {
    if (met.insert(entity).second) once.push_back(entity);
  }
  return once;
}

}  // namespace

std::vector<const Entity*> references(World& world, const Entity& entity, std::string_view path) {
  if (path == "parent") {
    return entity.parent == nullptr ? std::vector<const Entity*>()
                                    : std::vector<const Entity*>{entity.parent};
  }
  switch (entity.kind) {
    case Kind::folder:
      return path == "childEntity" ? as_entities(static_cast<const Folder&>(entity).children)
                                   : std::vector<const Entity*>();
    case Kind::datacenter:
      return datacenter_references(static_cast<const Datacenter&>(entity), path);
    case Kind::cluster:
    case Kind::host:
    case Kind::pool:
      return compute_references(entity, path);
    case Kind::datastore:
    case Kind::network:
    case Kind::portgroup:
      return resource_references(entity, path);
    case Kind::vm:
      return vm_references(static_cast<const Vm&>(entity), path);
    case Kind::dvs:
      return path == "portgroup" ? as_entities(static_cast<const Dvs&>(entity).portgroups)
                                 : std::vector<const Entity*>();
    case Kind::snapshot:
      return path == "childSnapshot" ? as_entities(static_cast<const Snapshot&>(entity).children)
                                     : std::vector<const Entity*>();
    case Kind::view:
      return path == "view" ? view_references(world, static_cast<const ContainerView&>(entity))
                            : std::vector<const Entity*>();
    default:
      return {};
  }
}

}  // namespace vmcp::simulator
