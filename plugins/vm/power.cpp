// power_on_vm, power_off_vm, restart_vm. The requests answer when the change is done, so no task is followed.
#include "common/change.h"
#include "common/power_state.h"
#include "common/schema.h"
#include "vm/tools.h"

namespace vmcp::plugins::vm {

namespace {

struct PowerAction {
  const char* request;  // what follows "action="
  const char* verb;     // "power on"
  const char* done;     // "was powered on"
  const char* end_state;
  bool needs_running;  // a VM that does not run is refused; else one in the end state is left alone
};

constexpr PowerAction kStart{"start", "power on", "was powered on", kPoweredOn, false};
constexpr PowerAction kStop{"stop", "power off", "was powered off", kPoweredOff, false};
constexpr PowerAction kReset{"reset", "restart", "was restarted", kPoweredOn, true};

std::string in_words(const std::string& state) {
  if (state == kPoweredOn) return "running";
  if (state == kPoweredOff) return "powered off";
  if (state == kSuspended) return "suspended";
  return state;
}

status refuse_restart(call& c, const json& vm, const std::string& state) {
  return c.fail(status::conflict,
                label(vm) + " is " + in_words(state) +
                    ", and only a running virtual machine can be restarted. Use power_on_vm "
                    "to start it.");
}

status already(call& c, json result, const json& vm, const std::string& state) {
  result["power_state"] = state;
  return completed(c, std::move(result), false,
                   label(vm) + " is already " + in_words(state) + "; nothing was done.");
}

status run_power(const PowerAction& action, call& c, const args& a) {
  const std::string id = a.text("vm_id");
  const json vm = vm_of(c, a);
  const PowerState before = read_power_state(c, id);
  if (!before.source) return c.fail(before.source);

  json result{{"vm", vm}, {"action", action.request}, {"previous_power_state", before.value}};
  if (action.needs_running && before.value != kPoweredOn) return refuse_restart(c, vm, before.value);
  if (!action.needs_running && before.value == action.end_state) return already(c, result, vm, before.value);

  const reply sent =
      c.vcenter().post(path(std::string("/api/vcenter/vm/{}/power?action=") + action.request, id));
  if (sent) {
    result["power_state"] = action.end_state;
    return completed(c, result, true, label(vm) + " " + action.done + ".");
  }
  // Somebody else was faster between the two requests.
  if (error_type(sent) == "ALREADY_IN_DESIRED_STATE") return already(c, result, vm, action.end_state);
  if (sent.status == status::timeout)
    return still_running(c, result, std::string("The request to ") + action.verb + " " + label(vm),
                         "Read power_state with get_vm_details");
  return fail_change(c, sent);
}

json warnings_of(const PowerAction& action, const std::string& state) {
  json out = json::array();
  if (!action.needs_running && state == action.end_state) {
    out.push_back("It is already " + in_words(state) + ": nothing would be done.");
  } else if (action.needs_running && state != kPoweredOn) {
    out.push_back("It is " + in_words(state) + ": a restart would be refused. Use power_on_vm.");
  } else if (state == kPoweredOn) {
    out.push_back("The guest system is not shut down in order: unsaved data in it is lost.");
  } else if (state == kSuspended && action.end_state == std::string_view(kPoweredOff)) {
    out.push_back("The suspended memory is lost.");
  } else if (state == kSuspended) {
    out.push_back("It is suspended: it would go on where it was.");
  }
  return out;
}

status preview_power(const PowerAction& action, call& c, const args& a) {
  const PowerState now = read_power_state(c, a.text("vm_id"));
  if (!now.source) return c.fail(now.source);
  const bool refused = action.needs_running && now.value != kPoweredOn;
  return preview_answer(c, action.verb, vm_of(c, a), {{"power_state", now.value}},
                        {{"power_state", refused ? now.value : action.end_state}},
                        warnings_of(action, now.value));
}

tool_builder& declare(tool_builder& tool, const PowerAction& action) {
  return tool.input(input_schema({{"vm_id", vm_argument()}}, {"vm_id"}))
      .output(result_output_schema({{"action", string_schema()},
                                    {"previous_power_state", string_schema()},
                                    {"power_state", string_schema("After the change.")}}))
      .run([&action](call& c, const args& a) { return run_power(action, c, a); })
      .preview([&action](call& c, const args& a) { return preview_power(action, c, a); });
}

}  // namespace

void declare_power_on_vm(tool_builder& tool) {
  declare(tool, kStart)
      .title("Power on a virtual machine")
      .describe(
          "Starts a virtual machine, or resumes it when it is suspended. One that runs already is left "
          "alone.")
      .changes()
      .task_optional()
      .idempotent()
      .privileges("VirtualMachine.Interact.PowerOn");
}

void declare_power_off_vm(tool_builder& tool) {
  declare(tool, kStop)
      .title("Power off a virtual machine")
      .describe(
          "Switches a virtual machine off at once, like pulling the plug: the guest system is not shut down "
          "in "
          "order, unsaved data is lost. One that is off already is left alone.")
      .destroys()
      .task_optional()
      .idempotent()
      .privileges("VirtualMachine.Interact.PowerOff");
}

void declare_restart_vm(tool_builder& tool) {
  declare(tool, kReset)
      .title("Restart a virtual machine")
      .describe(
          "Resets a running virtual machine at once, like its reset button: the guest system is not shut "
          "down in "
          "order, unsaved data is lost. One that does not run is refused.")
      .destroys()
      .task_optional()
      .privileges("VirtualMachine.Interact.Reset");
}

}  // namespace vmcp::plugins::vm
