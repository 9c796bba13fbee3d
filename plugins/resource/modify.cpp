#include "common/change.h"
#include "common/power_state.h"
#include "common/schema.h"
#include "resource/hardware.h"
#include "resource/tools.h"

namespace vmcp::plugins::resource {

namespace {

constexpr const char* kHowToLook = "Read cpu and memory with get_vm_details";

std::string words(const Hardware& hardware) {
  return std::to_string(hardware.cpu_count) + " CPUs (" + std::to_string(hardware.cores_per_socket) +
         " cores per socket) and " + std::to_string(hardware.memory_mib) + " MiB of memory";
}

// "CPU was changed before (from 2 to 4 CPUs); …": a second request that fails must not hide the first.
std::string done_before(const Current& current, const Plan& plan) {
  if (plan.cpu_patch.empty()) return {};
  return "The CPUs were changed before that: from " + std::to_string(current.hardware.cpu_count) + " CPUs (" +
         std::to_string(current.hardware.cores_per_socket) + " cores per socket) to " +
         std::to_string(plan.after.cpu_count) + " CPUs (" + std::to_string(plan.after.cores_per_socket) +
         " cores per socket), and stay so.";
}

status cpu_failed(call& c, const json& vm, json result, const Plan& plan, const reply& sent) {
  if (sent.status != status::timeout) return fail_change(c, sent);
  const std::string rest = plan.memory_patch.empty() ? "" : "The memory was not touched yet. ";
  return still_running(c, std::move(result), "The change of the CPUs of " + label(vm), rest + kHowToLook);
}

status memory_failed(call& c, const json& vm, json result, const Current& current, const Plan& plan,
                     const reply& sent) {
  const std::string before = done_before(current, plan);
  if (sent.status == status::timeout)
    return still_running(c, std::move(result), "The change of the memory of " + label(vm),
                         before + (before.empty() ? "" : " ") + kHowToLook);
  std::string fix = advice(sent);
  if (!before.empty())
    fix += (fix.empty() ? "" : " ") + before + " The memory is unchanged (" +
           std::to_string(current.hardware.memory_mib) + " MiB).";
  return c.fail(sent, fix);
}

status run_modify(call& c, const args& a) {
  const std::string id = a.text("vm_id");
  const json vm = vm_of(c, a);
  const Wanted wanted = read_wanted(a);
  if (!wanted.refusal.empty()) return c.fail(status::invalid, wanted.refusal);
  const Current current = read_current(c, id);
  if (!current.source) return c.fail(current.source);
  const Plan plan = make_plan(current, wanted);
  if (!plan.refusal.empty()) return c.fail(plan.refused_as, label(vm) + ": " + plan.refusal);

  json result{{"vm", vm}, {"before", current.hardware.to_json()}, {"after", plan.after.to_json()}};
  if (plan.empty())
    return completed(c, result, false,
                     label(vm) + " has " + words(plan.after) + " already; nothing was done.");
  if (!plan.cpu_patch.empty()) {
    const reply sent = c.vcenter().patch(path("/api/vcenter/vm/{}/hardware/cpu", id), plan.cpu_patch);
    if (!sent) return cpu_failed(c, vm, result, plan, sent);
  }
  if (!plan.memory_patch.empty()) {
    const reply sent = c.vcenter().patch(path("/api/vcenter/vm/{}/hardware/memory", id), plan.memory_patch);
    if (!sent) return memory_failed(c, vm, result, current, plan, sent);
  }
  return completed(c, result, true,
                   label(vm) + " had " + words(current.hardware) + " and has now " + words(plan.after) + ".");
}

status preview_modify(call& c, const args& a) {
  const Wanted wanted = read_wanted(a);
  if (!wanted.refusal.empty()) return c.fail(status::invalid, wanted.refusal);
  const Current current = read_current(c, a.text("vm_id"));
  if (!current.source) return c.fail(current.source);
  const Plan plan = make_plan(current, wanted);
  json warnings = json::array();
  if (!plan.refusal.empty()) {
    warnings.push_back("It would be refused: " + plan.refusal);
  } else if (plan.empty()) {
    warnings.push_back("It has these values already: nothing would be done.");
  } else if (current.power_state != kPoweredOff) {
    warnings.push_back("It is changed while it runs; its guest system must support that.");
  }
  json before = current.hardware.to_json();
  before["power_state"] = current.power_state;
  const Hardware& after = plan.refusal.empty() ? plan.after : current.hardware;
  return preview_answer(c, "modify resources", vm_of(c, a), std::move(before), after.to_json(),
                        std::move(warnings));
}

json positive(const char* type, double least, double most, const char* description) {
  json out{{"type", type}, {"minimum", least}, {"maximum", most}, {"description", description}};
  if (out["type"] == "integer") {
    out["minimum"] = static_cast<std::int64_t>(least);
    out["maximum"] = static_cast<std::int64_t>(most);
  }
  return out;
}

json hardware_schema() {
  return {{"type", "object"},
          {"properties",
           {{"cpu_count", integer_schema()},
            {"cores_per_socket", integer_schema()},
            {"memory_mib", integer_schema()}}}};
}

}  // namespace

void declare_modify_vm_resources(tool_builder& tool) {
  tool.title("Change CPU and memory of a virtual machine")
      .describe(
          "Sets the number of CPUs, the cores per socket and the memory (memory_gb or memory_mib, not both) "
          "of a virtual "
          "machine; what is not named stays. A running one can only grow, and only with hot-add. The answer "
          "has the "
          "values before and after.")
      .changes()
      .idempotent()
      .needs_confirm()
      .privileges("VirtualMachine.Config.CPUCount,VirtualMachine.Config.Memory")
      .input(input_schema(
          {{"vm_id", vm_argument()},
           {"cpu_count", positive("integer", 1, 1024, "CPUs in all; a multiple of cores_per_socket.")},
           {"cores_per_socket", positive("integer", 1, 1024, "Cores per socket; only of a VM that is off.")},
           {"memory_gb", positive("number", 0.00390625, 65536, "Memory in GiB; instead of memory_mib.")},
           {"memory_mib",
            positive("integer", 4, 67108864, "Memory in MiB, a multiple of 4; instead of memory_gb.")}},
          {"vm_id"}))
      .output(result_output_schema({{"before", hardware_schema()}, {"after", hardware_schema()}}))
      .run(run_modify)
      .preview(preview_modify);
}

}  // namespace vmcp::plugins::resource
