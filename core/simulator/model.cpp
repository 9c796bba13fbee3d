#include "simulator/model.h"

#include <algorithm>

namespace vmcp::simulator {
namespace {

template <class T>
void erase(std::vector<T*>& list, const Entity* object) {
  list.erase(std::remove(list.begin(), list.end(), object), list.end());
}

}  // namespace

const char* type_name(Kind kind) {
  switch (kind) {
    case Kind::service:
      return "ServiceInstance";
    case Kind::folder:
      return "Folder";
    case Kind::datacenter:
      return "Datacenter";
    case Kind::cluster:
      return "ClusterComputeResource";
    case Kind::host:
      return "HostSystem";
    case Kind::pool:
      return "ResourcePool";
    case Kind::datastore:
      return "Datastore";
    case Kind::network:
      return "Network";
    case Kind::portgroup:
      return "DistributedVirtualPortgroup";
    case Kind::dvs:
      return "VmwareDistributedVirtualSwitch";
    case Kind::vm:
      return "VirtualMachine";
    case Kind::snapshot:
      return "VirtualMachineSnapshot";
    case Kind::task:
      return "Task";
    case Kind::view:
      return "ContainerView";
  }
  return "";
}

bool is_a(Kind kind, std::string_view type) {
  if (type == type_name(kind)) return true;
  const bool entity =
      kind != Kind::service && kind != Kind::snapshot && kind != Kind::task && kind != Kind::view;
  if (type == "ManagedEntity") return entity;
  if (type == "ExtensibleManagedObject") return entity || kind == Kind::snapshot || kind == Kind::task;
  if (type == "ComputeResource") return kind == Kind::cluster;
  if (type == "Network") return kind == Kind::portgroup;
  if (type == "DistributedVirtualSwitch") return kind == Kind::dvs;
  if (type == "View" || type == "ManagedObjectView") return kind == Kind::view;
  return false;
}

std::int64_t Vm::committed() const {
  std::int64_t bytes = 0;
  for (const Disk& disk : disks) bytes += disk.used;
  std::vector<const Snapshot*> open(snapshot_roots.begin(), snapshot_roots.end());
  while (!open.empty()) {
    const Snapshot* next = open.back();
    open.pop_back();
    bytes += next->bytes;
    open.insert(open.end(), next->children.begin(), next->children.end());
  }
  // The swap file of a running VM, the memory image of a suspended one.
  if (power != Power::off) bytes += static_cast<std::int64_t>(memory_mb) << 20;
  return bytes;
}

std::int64_t Vm::uncommitted() const {
  std::int64_t bytes = 0;
  for (const Disk& disk : disks) bytes += disk.capacity - disk.used;
  return bytes;
}

Model::Model() = default;

void Model::insert(std::unique_ptr<Entity> object) {
  Entity* raw = object.get();
  switch (raw->kind) {
    case Kind::folder:
      folders_.push_back(static_cast<Folder*>(raw));
      break;
    case Kind::datacenter:
      datacenters_.push_back(static_cast<Datacenter*>(raw));
      break;
    case Kind::cluster:
      clusters_.push_back(static_cast<Cluster*>(raw));
      break;
    case Kind::host:
      hosts_.push_back(static_cast<Host*>(raw));
      break;
    case Kind::pool:
      pools_.push_back(static_cast<Pool*>(raw));
      break;
    case Kind::datastore:
      datastores_.push_back(static_cast<Datastore*>(raw));
      break;
    case Kind::network:
    case Kind::portgroup:
      networks_.push_back(static_cast<Network*>(raw));
      break;
    case Kind::vm:
      vms_.push_back(static_cast<Vm*>(raw));
      break;
    default:
      break;
  }
  objects_.emplace(raw->id, std::move(object));
}

Entity* Model::find(std::string_view id) const {
  const auto it = objects_.find(id);
  return it == objects_.end() ? nullptr : it->second.get();
}

Network* Model::find_network(std::string_view id) const {
  Entity* found = find(id);
  if (found == nullptr || (found->kind != Kind::network && found->kind != Kind::portgroup)) return nullptr;
  return static_cast<Network*>(found);
}

void Model::attach(Entity& child, Folder& folder) {
  child.parent = &folder;
  folder.children.push_back(&child);
}

void Model::move(Vm& vm, Folder& folder) {
  if (vm.parent != nullptr) erase(static_cast<Folder*>(vm.parent)->children, &vm);
  attach(vm, folder);
}

void Model::remove_snapshot(Snapshot& snapshot) {
  objects_.erase(snapshot.id);
}
void Model::remove_task(std::string_view id) {
  const auto it = objects_.find(id);
  if (it != objects_.end()) objects_.erase(it);
}

void Model::remove_vm(Vm& vm) {
  std::vector<Snapshot*> open = vm.snapshot_roots;
  while (!open.empty()) {
    Snapshot* next = open.back();
    open.pop_back();
    open.insert(open.end(), next->children.begin(), next->children.end());
    remove_snapshot(*next);
  }
  if (vm.parent != nullptr) erase(static_cast<Folder*>(vm.parent)->children, &vm);
  if (vm.host != nullptr) {
    erase(vm.host->vms, &vm);
    vm.host->usage_changed();
  }
  if (vm.pool != nullptr) erase(vm.pool->vms, &vm);
  if (vm.datastore != nullptr) erase(vm.datastore->vms, &vm);
  for (const Nic& nic : vm.nics) {
    if (nic.network != nullptr) erase(nic.network->vms, &vm);
  }
  erase(vms_, &vm);
  objects_.erase(std::string(vm.id));  // a copy: the key dies with the object
}

bool is_under(const Entity& entity, const Entity& ancestor) {
  for (const Entity* at = &entity; at != nullptr; at = at->parent) {
    if (at == &ancestor) return true;
  }
  return false;
}

const Datacenter* datacenter_of(const Entity& entity) {
  for (const Entity* at = &entity; at != nullptr; at = at->parent) {
    if (at->kind == Kind::datacenter) return static_cast<const Datacenter*>(at);
  }
  return nullptr;
}

std::int64_t free_space(const Datastore& datastore) {
  std::int64_t used = datastore.other_used;
  for (const Vm* vm : datastore.vms) used += vm->committed();
  return std::max<std::int64_t>(0, datastore.capacity - used);
}

std::int64_t uncommitted_space(const Datastore& datastore) {
  std::int64_t bytes = 0;
  for (const Vm* vm : datastore.vms) bytes += vm->uncommitted();
  return bytes;
}

const char* api_name(Power power) {
  switch (power) {
    case Power::off:
      return "POWERED_OFF";
    case Power::on:
      return "POWERED_ON";
    case Power::suspended:
      return "SUSPENDED";
  }
  return "";
}

const char* vim_name(Power power) {
  switch (power) {
    case Power::off:
      return "poweredOff";
    case Power::on:
      return "poweredOn";
    case Power::suspended:
      return "suspended";
  }
  return "";
}

const char* api_name(FolderType type) {
  switch (type) {
    case FolderType::datacenter:
      return "DATACENTER";
    case FolderType::vm:
      return "VIRTUAL_MACHINE";
    case FolderType::host:
      return "HOST";
    case FolderType::datastore:
      return "DATASTORE";
    case FolderType::network:
      return "NETWORK";
  }
  return "";
}

}  // namespace vmcp::simulator
