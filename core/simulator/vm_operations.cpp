#include "simulator/vm_operations.h"

#include <algorithm>

namespace vmcp::simulator {
namespace {

std::string task_method(PowerOp op) {
  switch (op) {
    case PowerOp::on:
      return "PowerOnVM_Task";
    case PowerOp::off:
      return "PowerOffVM_Task";
    case PowerOp::reset:
      return "ResetVM_Task";
    case PowerOp::suspend:
      return "SuspendVM_Task";
  }
  return "";
}

const char* description_of(PowerOp op) {
  switch (op) {
    case PowerOp::on:
      return "VirtualMachine.powerOn";
    case PowerOp::off:
      return "VirtualMachine.powerOff";
    case PowerOp::reset:
      return "VirtualMachine.reset";
    case PowerOp::suspend:
      return "VirtualMachine.suspend";
  }
  return "";
}

void set_power(Vm& vm, PowerOp op, Millis at) {
  switch (op) {
    case PowerOp::on:
      if (vm.power != Power::suspended) vm.boot_time = at;
      vm.memory_at_boot_mb = vm.memory_mb;
      vm.power = Power::on;
      break;
    case PowerOp::off:
      vm.power = Power::off;
      vm.clean_power_off = false;
      break;
    case PowerOp::reset:
      vm.boot_time = at;
      vm.memory_at_boot_mb = vm.memory_mb;
      break;
    case PowerOp::suspend:
      vm.power = Power::suspended;
      vm.suspend_time = at;
      break;
  }
  vm.transition = GuestTransition::none;
  if (vm.host != nullptr) vm.host->usage_changed();
}

// A VM task: refused outright while another one runs; a state that forbids it shows when the task ends.
Started begin_for(World& world, const User& user, const Vm& vm, std::string method, std::string description,
                  std::optional<Failure> failure, std::function<void(Vm&, Task&)> effect) {
  if (const Task* busy = world.tasks.busy(vm)) return {nullptr, task_in_progress(*busy)};
  TaskPlan plan;
  plan.method = std::move(method);
  plan.description_id = std::move(description);
  plan.entity = &vm;
  plan.user = user.domain_name();
  plan.failure = std::move(failure);
  // By id: the plan outlives this call, and nothing but the model owns the VM.
  plan.effect = [&world, id = vm.id, effect = std::move(effect)](Task& task) {
    if (Vm* target = world.model.find_as<Vm>(id)) effect(*target, task);
  };
  return {&world.tasks.begin(std::move(plan), world.now), std::nullopt};
}

std::optional<Failure> refuse_cpus(const Vm& vm, const ReconfigureSpec& spec) {
  const std::int64_t count = spec.cpus.value_or(vm.cpus);
  const std::int64_t cores = spec.cores_per_socket.value_or(vm.cores_per_socket);
  if (count < 1 || count > kMostCpus) {
    return invalid_argument("numCPUs", "The number of virtual CPUs must be between 1 and 768.");
  }
  if (cores < 1 || count % cores != 0) {
    return invalid_argument(
        "numCoresPerSocket",
        "The number of virtual CPUs must be a multiple of the number of cores per socket.");
  }
  if (vm.power == Power::off) return std::nullopt;
  const Failure no_hot_plug =
      simple_failure("CpuHotPlugNotSupported", "CPU hot plug is not supported for this virtual machine.");
  if (vm.power == Power::suspended && (count != vm.cpus || cores != vm.cores_per_socket)) {
    return invalid_power_state(vm.power, Power::off);
  }
  if (cores != vm.cores_per_socket) return invalid_power_state(vm.power, Power::off);
  if (count > vm.cpus && !vm.cpu_hot_add) return no_hot_plug;
  if (count < vm.cpus && !vm.cpu_hot_remove) return no_hot_plug;
  return std::nullopt;
}

std::optional<Failure> refuse_memory(const Vm& vm, std::int64_t size) {
  if (size < 4 || size > kMostMemoryMb || size % 4 != 0) {
    return invalid_argument("memoryMB",
                            "The memory size must be a multiple of 4 MB, between 4 MB and 24 TB.");
  }
  if (vm.power == Power::off || size == vm.memory_mb) return std::nullopt;
  if (vm.power == Power::suspended || size < vm.memory_mb) return invalid_power_state(vm.power, Power::off);
  if (!vm.memory_hot_add) {
    return simple_failure("MemoryHotPlugNotSupported",
                          "Memory hot plug is not supported for this virtual machine.");
  }
  if ((size - vm.memory_mb) % kHotAddStepMb != 0 || size > hot_add_limit_mb(vm)) {
    return invalid_argument(
        "memoryMB",
        "While the virtual machine runs, memory grows in steps of 128 MB up to the hot-add limit of " +
            std::to_string(hot_add_limit_mb(vm)) + " MB.");
  }
  return std::nullopt;
}

}  // namespace

std::int64_t hot_add_limit_mb(const Vm& vm) {
  return std::max<std::int64_t>(65'536, static_cast<std::int64_t>(vm.memory_at_boot_mb) * 16);
}

const char* privilege_of(PowerOp op) {
  switch (op) {
    case PowerOp::on:
      return "VirtualMachine.Interact.PowerOn";
    case PowerOp::off:
      return "VirtualMachine.Interact.PowerOff";
    case PowerOp::reset:
      return "VirtualMachine.Interact.Reset";
    case PowerOp::suspend:
      return "VirtualMachine.Interact.Suspend";
  }
  return "";
}

std::optional<Failure> refuse_power(const Vm& vm, PowerOp op) {
  if (vm.is_template) {
    return simple_failure("NotSupported", "The operation is not supported on the object: it is a template.");
  }
  if (!vm.accessible) {
    return simple_failure("InvalidState",
                          "The operation is not allowed: the virtual machine is not accessible.");
  }
  switch (op) {
    case PowerOp::on:
      if (vm.power == Power::on) return invalid_power_state(vm.power, Power::on);
      if (vm.host != nullptr && vm.host->maintenance) {
        return simple_failure("InvalidState", "The host of the virtual machine is in maintenance mode.");
      }
      return std::nullopt;
    case PowerOp::off:
      if (vm.power == Power::off) return invalid_power_state(vm.power, Power::off);
      return std::nullopt;
    case PowerOp::reset:
      if (vm.power != Power::on) return invalid_power_state(vm.power, Power::on);
      return std::nullopt;
    case PowerOp::suspend:
      if (vm.power == Power::suspended) return invalid_power_state(vm.power, Power::suspended);
      if (vm.power == Power::off) return invalid_power_state(vm.power, Power::on);
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Failure> refuse_guest(const Vm& vm, GuestOp) {
  if (vm.is_template) {
    return simple_failure("NotSupported", "The operation is not supported on the object: it is a template.");
  }
  if (vm.power != Power::on) return invalid_power_state(vm.power, Power::on);
  if (!vm.tools_running()) {
    return simple_failure(
        "ToolsUnavailable",
        "Cannot complete operation because VMware Tools is not running in this virtual machine.");
  }
  return std::nullopt;
}

std::optional<Failure> refuse_reconfigure(const Vm& vm, const ReconfigureSpec& spec) {
  if (vm.is_template) {
    return simple_failure("NotSupported", "The operation is not supported on the object: it is a template.");
  }
  if (!vm.accessible) {
    return simple_failure("InvalidState",
                          "The operation is not allowed: the virtual machine is not accessible.");
  }
  if (spec.cpus || spec.cores_per_socket) {
    if (auto failure = refuse_cpus(vm, spec)) return failure;
  }
  if (spec.memory_mb) {
    if (auto failure = refuse_memory(vm, *spec.memory_mb)) return failure;
  }
  const bool flags = spec.cpu_hot_add.value_or(vm.cpu_hot_add) != vm.cpu_hot_add ||
                     spec.cpu_hot_remove.value_or(vm.cpu_hot_remove) != vm.cpu_hot_remove ||
                     spec.memory_hot_add.value_or(vm.memory_hot_add) != vm.memory_hot_add;
  if (flags && vm.power != Power::off) return invalid_power_state(vm.power, Power::off);
  return std::nullopt;
}

std::optional<Failure> refuse_destroy(const Vm& vm) {
  if (vm.power == Power::on) return invalid_power_state(vm.power, Power::off);
  return std::nullopt;
}

Started start_power(World& world, const User& user, Vm& vm, PowerOp op) {
  return begin_for(world, user, vm, task_method(op), description_of(op), refuse_power(vm, op),
                   [op](Vm& target, Task& task) { set_power(target, op, task.end); });
}

Started start_guest(World& world, const User& user, Vm& vm, GuestOp op) {
  static constexpr const char* kMethods[] = {"ShutdownGuest", "RebootGuest", "StandbyGuest"};
  static constexpr const char* kDescriptions[] = {
      "VirtualMachine.shutdownGuest", "VirtualMachine.rebootGuest", "VirtualMachine.standbyGuest"};
  const auto index = static_cast<std::size_t>(op);
  // The guest may still be at it when the next order comes, as in reality: only the VM's own tasks exclude
  // it.
  Started started = begin_for(world, user, vm, kMethods[index], kDescriptions[index], std::nullopt,
                              [op](Vm& target, Task& task) {
                                if (op == GuestOp::standby) {
                                  set_power(target, PowerOp::suspend, task.end);
                                } else if (op == GuestOp::reboot) {
                                  set_power(target, PowerOp::reset, task.end);
                                } else {
                                  set_power(target, PowerOp::off, task.end);
                                  target.clean_power_off = true;
                                }
                              });
  if (started.task != nullptr && !started.task->settled) {
    vm.transition = op == GuestOp::reboot ? GuestTransition::resetting : GuestTransition::shutting_down;
  }
  return started;
}

Started start_reconfigure(World& world, const User& user, Vm& vm, const ReconfigureSpec& spec) {
  return begin_for(world, user, vm, "ReconfigVM_Task", "VirtualMachine.reconfigure",
                   refuse_reconfigure(vm, spec), [spec](Vm& target, Task&) {
                     if (spec.cpus) target.cpus = static_cast<int>(*spec.cpus);
                     if (spec.cores_per_socket)
                       target.cores_per_socket = static_cast<int>(*spec.cores_per_socket);
                     if (spec.memory_mb) target.memory_mb = static_cast<int>(*spec.memory_mb);
                     if (spec.cpu_hot_add) target.cpu_hot_add = *spec.cpu_hot_add;
                     if (spec.cpu_hot_remove) target.cpu_hot_remove = *spec.cpu_hot_remove;
                     if (spec.memory_hot_add) target.memory_hot_add = *spec.memory_hot_add;
                     if (target.host != nullptr) target.host->usage_changed();
                   });
}

Started start_destroy(World& world, const User& user, Vm& vm) {
  return begin_for(world, user, vm, "Destroy_Task", "VirtualMachine.destroy", refuse_destroy(vm),
                   [&world](Vm& target, Task&) { world.model.remove_vm(target); });
}

}  // namespace vmcp::simulator
