#include <map>
#include <set>

#include "simulated.h"
#include "simulator/inventory_seed.h"

namespace vmcp::simulator {
namespace {

constexpr Millis kNow = 1'790'000'000'000;

std::string describe(const Model& model) {
  std::string out;
  for (const Vm* vm : model.vms()) {
    out += vm->id + '=' + vm->name + '@' + vm->host->id + '/' + vm->parent->id + ':' +
           std::to_string(vm->cpus) + 'x' + std::to_string(vm->memory_mb) + api_name(vm->power) +
           std::to_string(vm->snapshot_roots.size()) + '\n';
  }
  return out;
}

}  // namespace

TEST_CASE("the default inventory has the promised size and nesting") {
  Model model;
  seed_inventory(model, {120, 1, kNow});
  CHECK(model.datacenters().size() >= 2);
  CHECK(model.clusters().size() >= 3);
  CHECK(model.hosts().size() >= 8);
  CHECK(model.vms().size() == 120);
  CHECK(model.root().id == "group-d1");
  std::set<Kind> network_kinds;
  for (const Network* network : model.networks()) network_kinds.insert(network->kind);
  CHECK(network_kinds.size() == 2);
  std::size_t deepest = 0;
  for (const Folder* folder : model.folders()) {
    std::size_t depth = 0;
    for (const Entity* at = folder; at != nullptr; at = at->parent) ++depth;
    deepest = std::max(deepest, depth);
  }
  CHECK(deepest >= 6);  // root, datacenter, vm, Development, Team A, Sandbox
}

TEST_CASE("the same seed makes the same inventory, another seed another one") {
  Model a, b, c;
  seed_inventory(a, {300, 7, kNow});
  seed_inventory(b, {300, 7, kNow + 86'400'000});
  seed_inventory(c, {300, 8, kNow});
  CHECK(describe(a) == describe(b));
  CHECK(describe(a) != describe(c));
}

TEST_CASE("the inventory holds the traps of real ones") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    Model model;
    seed_inventory(model, {120, seed, kNow});
    std::map<std::string, std::set<const Entity*>> folders_of;
    bool name_is_an_id = false, branch = false, suspended = false, unreadable = false, is_template = false;
    for (const Vm* vm : model.vms()) {
      folders_of[vm->name].insert(vm->parent);
      const Vm* other = model.find_as<Vm>(vm->name);
      name_is_an_id |= other != nullptr && other != vm;
      for (const Snapshot* root : vm->snapshot_roots) branch |= root->children.size() > 1;
      suspended |= vm->power == Power::suspended;
      unreadable |= !vm->accessible;
      is_template |= vm->is_template;
    }
    bool same_name_elsewhere = false;
    for (const auto& [name, folders] : folders_of) same_name_elsewhere |= folders.size() > 1;
    CHECK(name_is_an_id);
    CHECK(same_name_elsewhere);
    CHECK(branch);
    CHECK(suspended);
    CHECK(unreadable);
    CHECK(is_template);
  }
}

TEST_CASE("sizes from nothing to the largest are consistent") {
  for (const std::size_t vms : {0, 1, 11, 20'000}) {
    Model model;
    seed_inventory(model, {vms, 3, kNow});
    REQUIRE(model.vms().size() == vms);
    std::size_t on_hosts = 0, on_stores = 0, in_folders = 0;
    for (const Host* host : model.hosts()) {
      on_hosts += host->vms.size();
      if (host->maintenance) CHECK(host->vms.empty());
    }
    for (const Datastore* store : model.datastores()) {
      on_stores += store->vms.size();
      CHECK(free_space(*store) > 0);
      CHECK(free_space(*store) <= store->capacity);
    }
    for (const Folder* folder : model.folders()) {
      for (const Entity* child : folder->children) in_folders += child->kind == Kind::vm ? 1 : 0;
    }
    CHECK(on_hosts == vms);
    CHECK(on_stores == vms);
    CHECK(in_folders == vms);
  }
}

TEST_CASE("more VMs than the limit is refused with the fix") {
  StillClock clock;
  Settings settings;
  settings.vms = 20'001;
  VCenter vcenter(settings, clock);
  const Result<void> ready = vcenter.prepare();
  REQUIRE_FALSE(ready.ok());
  CHECK(ready.error().text.find("20,000") != std::string::npos);
}

TEST_CASE("removing a VM leaves nothing behind") {
  Model model;
  seed_inventory(model, {120, 1, kNow});
  Vm* with_snapshots = nullptr;
  for (Vm* vm : model.vms()) {
    if (!vm->snapshot_roots.empty()) with_snapshots = vm;
  }
  REQUIRE(with_snapshots != nullptr);
  const std::string id = with_snapshots->id;
  const std::string snapshot = with_snapshots->snapshot_roots[0]->id;
  model.remove_vm(*with_snapshots);
  CHECK(model.find(id) == nullptr);
  CHECK(model.find(snapshot) == nullptr);
  CHECK(model.vms().size() == 119);
  std::size_t on_hosts = 0, on_networks = 0;
  for (const Host* host : model.hosts()) on_hosts += host->vms.size();
  for (const Network* network : model.networks()) {
    for (const Vm* vm : network->vms) on_networks += model.find(vm->id) == nullptr ? 1 : 0;
  }
  CHECK(on_hosts == 119);
  CHECK(on_networks == 0);
}

}  // namespace vmcp::simulator
