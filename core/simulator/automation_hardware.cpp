#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

Answer wrong_type(const std::string& field, const char* want) {
  return invalid_argument_answer("Field '" + field + "' must be " + want + ".", {field});
}

bool read_int(const Json& value, std::optional<std::int64_t>& out) {
  if (!value.is_number_integer()) return false;
  out = value.get<std::int64_t>();
  return true;
}

bool read_bool(const Json& value, std::optional<bool>& out) {
  if (!value.is_boolean()) return false;
  out = value.get<bool>();
  return true;
}

Answer update(Call& call, Vm& vm, const ReconfigureSpec& spec) {
  if (const auto failure = refuse_reconfigure(vm, spec)) return answer_for(*failure);
  return wait_for(start_reconfigure(call.world, call.user(), vm, spec));
}

}  // namespace

Json hardware_json(const Vm&) {
  return {{"version", "VMX_19"}, {"upgrade_policy", "NEVER"}, {"upgrade_status", "NONE"}};
}

Json cpu_json(const Vm& vm) {
  return {{"count", vm.cpus},
          {"cores_per_socket", vm.cores_per_socket},
          {"hot_add_enabled", vm.cpu_hot_add},
          {"hot_remove_enabled", vm.cpu_hot_remove}};
}

Json memory_json(const Vm& vm) {
  Json out = {{"size_MiB", vm.memory_mb}, {"hot_add_enabled", vm.memory_hot_add}};
  if (vm.memory_hot_add && vm.power == Power::on) {
    out["hot_add_increment_size_MiB"] = kHotAddStepMb;
    out["hot_add_limit_MiB"] = hot_add_limit_mb(vm);
  }
  return out;
}

Answer hardware_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  return found.vm == nullptr ? found.refusal : Answer::of(hardware_json(*found.vm));
}

Answer cpu_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  return found.vm == nullptr ? found.refusal : Answer::of(cpu_json(*found.vm));
}

Answer cpu_update(Call& call) {
  const FoundVm found = resolve_vm(call, "VirtualMachine.Config.CPUCount");
  if (found.vm == nullptr) return found.refusal;
  ReconfigureSpec spec;
  for (const auto& [key, value] : call.body.items()) {
    if (key == "count" || key == "cores_per_socket") {
      if (!read_int(value, key == "count" ? spec.cpus : spec.cores_per_socket))
        return wrong_type(key, "an integer");
    } else if (key == "hot_add_enabled" || key == "hot_remove_enabled") {
      if (!read_bool(value, key == "hot_add_enabled" ? spec.cpu_hot_add : spec.cpu_hot_remove)) {
        return wrong_type(key, "a boolean");
      }
    } else {
      return unexpected_input(key);
    }
  }
  return update(call, *found.vm, spec);
}

Answer memory_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  return found.vm == nullptr ? found.refusal : Answer::of(memory_json(*found.vm));
}

Answer memory_update(Call& call) {
  const FoundVm found = resolve_vm(call, "VirtualMachine.Config.Memory");
  if (found.vm == nullptr) return found.refusal;
  ReconfigureSpec spec;
  for (const auto& [key, value] : call.body.items()) {
    if (key == "size_MiB") {
      if (!read_int(value, spec.memory_mb)) return wrong_type(key, "an integer");
    } else if (key == "hot_add_enabled") {
      if (!read_bool(value, spec.memory_hot_add)) return wrong_type(key, "a boolean");
    } else {
      return unexpected_input(key);
    }
  }
  return update(call, *found.vm, spec);
}

}  // namespace vmcp::simulator
