#include "simulator/vim.h"

namespace vmcp::simulator {
namespace {

Vm& vm_of(VimCall& call) {
  return static_cast<Vm&>(*call.target);
}

VimAnswer power(VimCall& call, PowerOp op) {
  if (call.body.contains("host")) {
    if (auto failure = check_reference(call, call.body["host"], "HostSystem"))
      return VimAnswer::fault(*failure);
  }
  return task_answer(start_power(call.world, call.user(), vm_of(call), op));
}

// These answer as soon as the guest was asked, without a task.
VimAnswer guest(VimCall& call, GuestOp op) {
  if (const auto failure = refuse_guest(vm_of(call), op)) return VimAnswer::fault(*failure);
  const Started started = start_guest(call.world, call.user(), vm_of(call), op);
  return started.refused ? VimAnswer::fault(*started.refused) : VimAnswer::nothing();
}

// Null: the field was read into the spec. Fields that this vCenter cannot change are refused, not ignored.
std::optional<Failure> read_spec_field(const std::string& key, const Json& value, ReconfigureSpec& spec) {
  const std::string path = "spec." + key;
  if (key == "_typeName") {
    if (value == "VirtualMachineConfigSpec") return std::nullopt;
    return invalid_argument("spec", "The parameter is no VirtualMachineConfigSpec.");
  }
  if (key == "numCPUs" || key == "numCoresPerSocket" || key == "memoryMB") {
    if (!value.is_number_integer()) return invalid_argument(path, "The value must be an integer: " + path);
    const auto number = value.get<std::int64_t>();
    (key == "numCPUs" ? spec.cpus : key == "memoryMB" ? spec.memory_mb : spec.cores_per_socket) = number;
    return std::nullopt;
  }
  if (key == "cpuHotAddEnabled" || key == "cpuHotRemoveEnabled" || key == "memoryHotAddEnabled") {
    if (!value.is_boolean()) return invalid_argument(path, "The value must be a boolean: " + path);
    (key == "cpuHotAddEnabled"      ? spec.cpu_hot_add
     : key == "cpuHotRemoveEnabled" ? spec.cpu_hot_remove
                                    : spec.memory_hot_add) = value.get<bool>();
    return std::nullopt;
  }
  return Failure{"NotSupported", "This simulated vCenter cannot change " + path + ".", Json::object()};
}

}  // namespace

VimAnswer vim_power_on(VimCall& call) {
  return power(call, PowerOp::on);
}
VimAnswer vim_power_off(VimCall& call) {
  return power(call, PowerOp::off);
}
VimAnswer vim_reset(VimCall& call) {
  return power(call, PowerOp::reset);
}
VimAnswer vim_suspend(VimCall& call) {
  return power(call, PowerOp::suspend);
}
VimAnswer vim_shutdown_guest(VimCall& call) {
  return guest(call, GuestOp::shutdown);
}
VimAnswer vim_reboot_guest(VimCall& call) {
  return guest(call, GuestOp::reboot);
}
VimAnswer vim_standby_guest(VimCall& call) {
  return guest(call, GuestOp::standby);
}

VimAnswer vim_reconfigure(VimCall& call) {
  ReconfigureSpec spec;
  for (const auto& [key, value] : call.body["spec"].items()) {
    if (auto failure = read_spec_field(key, value, spec)) return VimAnswer::fault(*failure);
  }
  // The privilege depends on what is asked for.
  const bool cpu = spec.cpus || spec.cores_per_socket || spec.cpu_hot_add || spec.cpu_hot_remove;
  if (cpu && !allowed(call.user(), *call.target, "VirtualMachine.Config.CPUCount")) {
    return VimAnswer::fault(no_permission(*call.target, "VirtualMachine.Config.CPUCount"));
  }
  if ((spec.memory_mb || spec.memory_hot_add) &&
      !allowed(call.user(), *call.target, "VirtualMachine.Config.Memory")) {
    return VimAnswer::fault(no_permission(*call.target, "VirtualMachine.Config.Memory"));
  }
  return task_answer(start_reconfigure(call.world, call.user(), vm_of(call), spec));
}

VimAnswer vim_destroy(VimCall& call) {
  return task_answer(start_destroy(call.world, call.user(), vm_of(call)));
}

}  // namespace vmcp::simulator
