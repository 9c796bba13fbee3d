#include <string_view>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

const char* guest_state(const Vm& vm) {
  if (vm.power == Power::suspended) return "STANDBY";
  if (vm.power != Power::on) return "NOT_RUNNING";
  if (vm.transition == GuestTransition::shutting_down) return "SHUTTING_DOWN";
  if (vm.transition == GuestTransition::resetting) return "RESETTING";
  return vm.tools_running() ? "RUNNING" : "UNAVAILABLE";
}

// The call answers as soon as the guest was asked; the power state follows when it has obeyed.
Answer ask_guest(Call& call, GuestOp op) {
  static constexpr const char* kPrivileges[] = {
      "VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.Reset", "VirtualMachine.Interact.Suspend"};
  const FoundVm found = resolve_vm(call, kPrivileges[static_cast<std::size_t>(op)], true);
  if (found.vm == nullptr) return found.refusal;
  if (const auto failure = refuse_guest(*found.vm, op)) return answer_for(*failure);
  const Started started = start_guest(call.world, call.user(), *found.vm, op);
  return started.refused ? answer_for(*started.refused) : Answer();
}

}  // namespace

Answer guest_power_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  if (found.vm == nullptr) return found.refusal;
  return Answer::of({{"state", guest_state(*found.vm)}, {"operations_ready", found.vm->tools_running()}});
}

Answer guest_shutdown(Call& call) {
  return ask_guest(call, GuestOp::shutdown);
}
Answer guest_reboot(Call& call) {
  return ask_guest(call, GuestOp::reboot);
}
Answer guest_standby(Call& call) {
  return ask_guest(call, GuestOp::standby);
}

Answer guest_identity(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  if (found.vm == nullptr) return found.refusal;
  const Vm& vm = *found.vm;
  if (!vm.tools_running()) {
    return answer_for(simple_failure("ToolsUnavailable",
                                     "VMware Tools is not running in virtual machine '" + vm.id + "'."));
  }
  const std::string label = std::string("vmsg.guestos.") + vm.guest->vim_id + ".label";
  return Answer::of(
      {{"name", vm.guest->api_name},
       {"family", vm.guest->api_family},
       {"full_name", {{"id", label}, {"default_message", vm.guest->full_name}, {"args", Json::array()}}},
       {"host_name", vm.host_name},
       {"ip_address", vm.ip_address}});
}

Answer tools_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  if (found.vm == nullptr) return found.refusal;
  const Vm& vm = *found.vm;
  const bool windows = std::string_view(vm.guest->api_family) == "WINDOWS";
  Json out = {{"auto_update_supported", windows && vm.tools_installed},
              {"upgrade_policy", "MANUAL"},
              {"run_state", vm.tools_running() ? "RUNNING" : "NOT_RUNNING"}};
  if (!vm.tools_installed) {
    out["version_status"] = "NOT_INSTALLED";
    return Answer::of(std::move(out));
  }
  out["version_status"] = windows ? "CURRENT" : "UNMANAGED";
  out["version"] = "12389";
  out["version_number"] = 12'389;
  out["install_type"] = windows ? "MSI" : "OPEN_VM_TOOLS";
  return Answer::of(std::move(out));
}

}  // namespace vmcp::simulator
