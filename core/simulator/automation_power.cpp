#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

Answer change_power(Call& call, PowerOp op) {
  const FoundVm found = resolve_vm(call, privilege_of(op), true);
  if (found.vm == nullptr) return found.refusal;
  if (const auto failure = refuse_power(*found.vm, op)) {
    Answer answer = answer_for(*failure);
    if (answer.error_type == "ALREADY_IN_DESIRED_STATE") {
      const std::string state = op == PowerOp::on ? "on" : op == PowerOp::off ? "off" : "suspended";
      answer.messages.insert(
          answer.messages.begin(),
          {"com.vmware.api.vcenter.vm.power.already_" + (op == PowerOp::suspend ? state : "powered_" + state),
           "Virtual machine is already " + (op == PowerOp::suspend ? state : "powered " + state) + ".",
           {}});
    }
    return answer;
  }
  return wait_for(start_power(call.world, call.user(), *found.vm, op));
}

}  // namespace

Answer power_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  if (found.vm == nullptr) return found.refusal;
  Json out = {{"state", api_name(found.vm->power)}};
  if (found.vm->power == Power::off) out["clean_power_off"] = found.vm->clean_power_off;
  return Answer::of(std::move(out));
}

Answer power_start(Call& call) {
  return change_power(call, PowerOp::on);
}
Answer power_stop(Call& call) {
  return change_power(call, PowerOp::off);
}
Answer power_suspend(Call& call) {
  return change_power(call, PowerOp::suspend);
}
Answer power_reset(Call& call) {
  return change_power(call, PowerOp::reset);
}

}  // namespace vmcp::simulator
