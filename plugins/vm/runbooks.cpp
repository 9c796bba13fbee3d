// what_happened_to_vm
#include "common/completing.h"
#include "common/find.h"
#include "common/runbook.h"
#include "vm/placement.h"
#include "vm/tools.h"

namespace vmcp::plugins::vm {

namespace {

constexpr const char* kWhatHappened = "what_happened_to_vm";

const json kStoryProperties = {"runtime.powerState",
                               "runtime.connectionState",
                               "runtime.bootTime",
                               "runtime.suspendTime",
                               "runtime.cleanPowerOff",
                               "runtime.consolidationNeeded",
                               "runtime.question",
                               "runtime.host",
                               "overallStatus",
                               "triggeredAlarmState",
                               "recentTask",
                               "guest.toolsRunningStatus",
                               "guest.ipAddress",
                               "config.createDate"};

// One entry of the VM's recent tasks, in few words.
json task_fact(const json& info) {
  json out{{"task", info.value("key", "")}, {"what", info.value("descriptionId", "")}};
  for (const char* key : {"state", "queueTime", "completeTime"}) {
    if (info.contains(key)) out[key] = info[key];
  }
  const json reason = info.value("reason", json::object());
  if (reason.is_object()) out["by"] = reason.value("userName", reason.value("_typeName", ""));
  const task_info read = parse_task(info);
  if (read.failed()) out["error"] = read.error;
  return out;
}

// vCenter keeps them for some minutes after they ended. What cannot be read is left out, and said.
json recent_tasks(call& c, const json& vm) {
  constexpr std::size_t kMostTasks = 8;
  json out = json::array();
  const json references = property(vm, "recentTask");
  if (!references.is_array()) return out;
  const std::size_t count = references.size(), first = count > kMostTasks ? count - kMostTasks : 0;
  for (std::size_t i = first; i < count; ++i) {
    const std::string id = moref(references[i]);
    if (id.empty()) continue;
    const reply found = c.vim().get("Task", id, "info");
    const json info = found ? parse(found) : json();
    out.push_back(info.is_object() ? task_fact(info) : json{{"task", id}, {"unavailable", found.error}});
  }
  return out;
}

// Where it runs, and whether that host is well: a VM on a lost host shows its last known state.
void add_host_facts(call& c, json& facts, const json& vm) {
  Placement::of_vms(c, json::array({vm})).add_to(facts, vm);
  const std::string id = moref(property(vm, "runtime.host"));
  if (id.empty()) return;
  const reply found =
      c.inventory().get("host", id, json{"runtime.connectionState", "runtime.inMaintenanceMode"});
  if (!found) return;
  const json host = parse(found);
  copy_property(facts["host"], "connection_state", host, "runtime.connectionState");
  copy_property(facts["host"], "in_maintenance_mode", host, "runtime.inMaintenanceMode");
}

json story_facts(call& c, const json& vm) {
  json facts{{"vm_id", vm.value("id", "")}, {"name", vm.value("name", "")}, {"path", vm.value("path", "")}};
  facts["power_state"] = automation_enum(text_property(vm, "runtime.powerState"));
  copy_property(facts, "connection_state", vm, "runtime.connectionState");
  copy_property(facts, "overall_status", vm, "overallStatus");
  copy_property(facts, "boot_time", vm, "runtime.bootTime");
  copy_property(facts, "suspend_time", vm, "runtime.suspendTime");
  copy_property(facts, "clean_power_off", vm, "runtime.cleanPowerOff");
  copy_property(facts, "consolidation_needed", vm, "runtime.consolidationNeeded");
  copy_property(facts, "waits_for_an_answer", vm, "runtime.question");
  copy_property(facts, "tools_running_status", vm, "guest.toolsRunningStatus");
  copy_property(facts, "ip_address", vm, "guest.ipAddress");
  copy_property(facts, "created", vm, "config.createDate");
  add_host_facts(c, facts, vm);
  const json alarms = property(vm, "triggeredAlarmState");
  facts["triggered_alarms"] = alarms.is_array() ? alarms.size() : 0;
  facts["recent_tasks"] = recent_tasks(c, vm);
  copy_unavailable(facts, vm);
  return facts;
}

Runbook story_of(const json& facts) {
  const std::string id = facts.value("vm_id", ""), vm = "vm_id: " + quote(id);
  Runbook out("Find out what happened to the virtual machine " + quote(facts.value("name", "")) + " (" + id +
              ") and tell the person, with what you know and what you only suppose kept apart.");
  out.step(
         "get_vm_details {" + vm +
         ", verbose: true}: power state, host, guest system, use of CPU and memory. Compare with the facts: "
         "what changed in between is news.")
      .step(
          "Read the facts: recent_tasks tell who did what in the last minutes (vCenter keeps them no "
          "longer); "
          "boot_time tells since when it runs; clean_power_off false means that it was switched off and not "
          "shut down; waits_for_an_answer means that it stands still until somebody answers it in the "
          "vSphere "
          "Client; a host that is not connected means that everything shown is only the last known state.")
      .step("list_vm_snapshots {" + vm +
            "}: a snapshot that was just taken, or a current one that is not the newest, tells of a backup "
            "or of a "
            "return to an older state.")
      .step(
          "list_hosts {names: [the name of its host], verbose: true} and list_vms {hosts: [the id of its "
          "host]}: "
          "is it this machine alone, or the whole host?")
      .step(
          "get_datastore_usage {}: a full or unreachable datastore stops machines or makes them read-only. "
          "get_resource_utilization_summary {}: is its cluster short of CPU or memory?")
      .step(
          "Report in order of time: what is certain (with the tool or fact it comes from), what is likely, "
          "what "
          "cannot be known from here. Events, alarms' history and older tasks are not readable with these "
          "tools: "
          "point to Monitor > Tasks and Events of the machine in the vSphere Client, and for what was done "
          "through this server to its audit log.")
      .step("If something should be done, say what and why, and " +
            std::string("ask first; then the tool's dry_run: true, then the change itself. power_on_vm, "
                        "power_off_vm and restart_vm act at once, without confirm."));
  out.never("change anything in order to find out: no restart, no power off, no snapshot.")
      .never("present a guess as the cause, or blame a person because a task has their name on it.");
  return out;
}

status get_what_happened(call& c, const args& a) {
  const Found found = find_one(c, kVm, a.text("vm"), kStoryProperties);
  if (!found.source) return c.fail(found.source);
  const json facts = story_facts(c, found.object);
  return story_of(facts).give(c, facts);
}

}  // namespace

void declare_what_happened_to_vm(prompt_builder& prompt) {
  prompt.title("What happened to this VM?")
      .describe(
          "Finds out why a virtual machine is as it is: what was done to it lately, how its host, storage "
          "and "
          "snapshots are, and what cannot be told from here. Changes nothing.")
      .argument("vm", "The virtual machine: its name, id (vm-42) or inventory path.", true)
      .get(get_what_happened);
}

status complete_vm_prompts(call& c, const completing& what) {
  if (is_about(what, kWhatHappened, "vm")) return complete_names(c, "vm", what.value);
  return c.values({});
}

}  // namespace vmcp::plugins::vm
