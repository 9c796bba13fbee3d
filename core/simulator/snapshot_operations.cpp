#include <algorithm>

#include "simulator/inventory_seed.h"
#include "simulator/vm_operations.h"

namespace vmcp::simulator {
namespace {

constexpr int kDeepest = 32;  // vSphere's limit on the levels of a tree
constexpr std::size_t kLongestName = 80;

Started begin_snapshot_task(World& world, const User& user, const Vm& vm, const char* method,
                            const char* description, std::optional<Failure> failure,
                            std::function<void(Task&)> effect) {
  if (const Task* busy = world.tasks.busy(vm)) return {nullptr, task_in_progress(*busy)};
  TaskPlan plan;
  plan.method = method;
  plan.description_id = description;
  plan.entity = &vm;
  plan.user = user.domain_name();
  plan.cancelable = true;
  plan.failure = std::move(failure);
  plan.effect = std::move(effect);
  return {&world.tasks.begin(std::move(plan), world.now), std::nullopt};
}

int depth_of(const Snapshot* snapshot) {
  int depth = 0;
  for (; snapshot != nullptr; snapshot = snapshot->up) ++depth;
  return depth;
}

std::vector<Snapshot*>& siblings_of(Snapshot& snapshot) {
  return snapshot.up == nullptr ? snapshot.vm->snapshot_roots : snapshot.up->children;
}

bool is_below(const Snapshot* snapshot, const Snapshot& above) {
  for (; snapshot != nullptr; snapshot = snapshot->up) {
    if (snapshot == &above) return true;
  }
  return false;
}

void remove_subtree(Model& model, Snapshot& snapshot) {
  for (Snapshot* child : std::vector<Snapshot*>(snapshot.children)) remove_subtree(model, *child);
  model.remove_snapshot(snapshot);
}

void remove_one(Model& model, Snapshot& snapshot, bool with_children) {
  Vm& vm = *snapshot.vm;
  std::vector<Snapshot*>& siblings = siblings_of(snapshot);
  auto place = std::find(siblings.begin(), siblings.end(), &snapshot);
  place = siblings.erase(place);
  const bool current_goes =
      with_children ? is_below(vm.current_snapshot, snapshot) : vm.current_snapshot == &snapshot;
  if (current_goes) vm.current_snapshot = snapshot.up;
  if (with_children) {
    remove_subtree(model, snapshot);
    return;
  }
  // Its children move up to where it stood.
  for (Snapshot* child : snapshot.children) child->up = snapshot.up;
  siblings.insert(place, snapshot.children.begin(), snapshot.children.end());
  model.remove_snapshot(snapshot);
}

void take_snapshot(World& world, Vm& vm, const SnapshotSpec& spec, Task& task) {
  Snapshot& made =
      world.model.add<Snapshot>("snapshot-" + std::to_string(world.model.next_number()), spec.name);
  made.vm = &vm;
  made.up = vm.current_snapshot;
  made.description = spec.description;
  made.number = vm.next_snapshot_number++;
  made.created = task.end;
  made.with_memory = spec.memory && vm.power == Power::on;
  made.quiesced = spec.quiesce && !made.with_memory && vm.tools_running();
  made.cpus = vm.cpus;
  made.cores_per_socket = vm.cores_per_socket;
  made.memory_mb = vm.memory_mb;
  made.bytes = static_cast<std::int64_t>(16 + mix(vm.seed + static_cast<std::uint64_t>(made.number)) % 500)
               << 20;
  if (made.with_memory) made.bytes += static_cast<std::int64_t>(vm.memory_mb) << 20;
  (made.up == nullptr ? vm.snapshot_roots : made.up->children).push_back(&made);
  vm.current_snapshot = &made;
  task.result = moref(made);
}

void go_back(Snapshot& snapshot, bool suppress_power_on, Millis at) {
  Vm& vm = *snapshot.vm;
  vm.cpus = snapshot.cpus;
  vm.cores_per_socket = snapshot.cores_per_socket;
  vm.memory_mb = snapshot.memory_mb;
  vm.memory_at_boot_mb = snapshot.memory_mb;
  vm.current_snapshot = &snapshot;
  vm.power = snapshot.with_memory && !suppress_power_on ? Power::on : Power::off;
  if (vm.power == Power::on) vm.boot_time = at;
  vm.clean_power_off = true;
  vm.transition = GuestTransition::none;
  if (vm.host != nullptr) vm.host->usage_changed();
}

std::optional<Failure> refuse_name(const std::string& name, const Vm& vm) {
  if (!name.empty() && name.size() <= kLongestName) return std::nullopt;
  return Failure{
      "InvalidName",
      "The name '" + name.substr(0, 100) + "' is not valid: a snapshot's name has 1 to 80 characters.",
      {{"name", name.substr(0, 100)}, {"entity", moref(vm)}}};
}

std::optional<Failure> refuse_snapshot(const Vm& vm, const SnapshotSpec& spec) {
  if (vm.is_template) {
    return simple_failure("NotSupported", "The operation is not supported on the object: it is a template.");
  }
  if (!vm.accessible) {
    return simple_failure("InvalidState",
                          "The operation is not allowed: the virtual machine is not accessible.");
  }
  if (depth_of(vm.current_snapshot) >= kDeepest) {
    return simple_failure("TooManySnapshotLevels", "The virtual machine already has 32 levels of snapshots.");
  }
  if (spec.quiesce && !spec.memory && vm.power == Power::on && !vm.tools_running()) {
    return simple_failure(
        "ApplicationQuiesceFault",
        "The guest could not be quiesced: VMware Tools is not running in this virtual machine.");
  }
  return std::nullopt;
}

}  // namespace

Started start_create_snapshot(World& world, const User& user, Vm& vm, const SnapshotSpec& spec,
                              const char* method) {
  if (auto failure = refuse_name(spec.name, vm)) return {nullptr, std::move(failure)};
  return begin_snapshot_task(world, user, vm, method, "VirtualMachine.createSnapshot",
                             refuse_snapshot(vm, spec), [&world, id = vm.id, spec](Task& task) {
                               if (Vm* target = world.model.find_as<Vm>(id))
                                 take_snapshot(world, *target, spec, task);
                             });
}

Started start_remove_snapshot(World& world, const User& user, Snapshot& snapshot, bool children) {
  return begin_snapshot_task(world, user, *snapshot.vm, "RemoveSnapshot_Task",
                             "VirtualMachineSnapshot.remove", std::nullopt,
                             [&world, id = snapshot.id, children](Task&) {
                               Snapshot* target = world.model.find_as<Snapshot>(id);
                               if (target != nullptr) remove_one(world.model, *target, children);
                             });
}

Started start_remove_all_snapshots(World& world, const User& user, Vm& vm) {
  return begin_snapshot_task(world, user, vm, "RemoveAllSnapshots_Task", "VirtualMachine.removeAllSnapshots",
                             std::nullopt, [&world, id = vm.id](Task&) {
                               Vm* target = world.model.find_as<Vm>(id);
                               if (target == nullptr) return;
                               for (Snapshot* root : target->snapshot_roots)
                                 remove_subtree(world.model, *root);
                               target->snapshot_roots.clear();
                               target->current_snapshot = nullptr;
                             });
}

Started start_revert(World& world, const User& user, Snapshot& snapshot, bool suppress_power_on,
                     const char* method) {
  return begin_snapshot_task(world, user, *snapshot.vm, method, "VirtualMachineSnapshot.revert", std::nullopt,
                             [&world, id = snapshot.id, suppress_power_on](Task& task) {
                               Snapshot* target = world.model.find_as<Snapshot>(id);
                               if (target != nullptr) go_back(*target, suppress_power_on, task.end);
                             });
}

std::optional<Failure> rename_snapshot(World& world, Snapshot& snapshot,
                                       const std::optional<std::string>& name,
                                       const std::optional<std::string>& description) {
  if (name) {
    if (auto failure = refuse_name(*name, *snapshot.vm)) return failure;
  }
  if (const Task* busy = world.tasks.busy(*snapshot.vm)) return task_in_progress(*busy);
  if (name) snapshot.name = *name;
  if (description) snapshot.description = *description;
  return std::nullopt;
}

}  // namespace vmcp::simulator
