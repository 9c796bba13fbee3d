// safe_resize
#include <algorithm>

#include "common/completing.h"
#include "common/find.h"
#include "common/power_state.h"
#include "common/runbook.h"
#include "resource/hardware.h"
#include "resource/tools.h"

namespace vmcp::plugins::resource {

namespace {

constexpr const char* kSafeResize = "safe_resize";
constexpr const char* kCpuCount = "cpu_count";
constexpr const char* kMemoryGb = "memory_gb";
constexpr int kMostCpus = 1024;
constexpr double kLeastGib = 0.00390625, kMostGib = 65536;  // 4 MiB to 64 TiB

const json kHardwareProperties = {"runtime.powerState",
                                  "config.hardware.numCPU",
                                  "config.hardware.numCoresPerSocket",
                                  "config.hardware.memoryMB",
                                  "config.cpuHotAddEnabled",
                                  "config.cpuHotRemoveEnabled",
                                  "config.memoryHotAddEnabled",
                                  "config.hotPlugMemoryIncrementSize",
                                  "config.hotPlugMemoryLimit",
                                  "summary.quickStats.overallCpuUsage",
                                  "summary.quickStats.guestMemoryUsage",
                                  "guest.toolsRunningStatus"};

std::int64_t whole(const json& vm, const char* path) {
  const json value = property(vm, path);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

// The same as read_current(), through the inventory: a prompt has no target that the Automation API could be
// asked about on behalf of a caller who sees only some objects.
Current current_of(const json& vm) {
  Current out;
  out.power_state = automation_enum(text_property(vm, "runtime.powerState"));
  out.hardware.cpu_count = whole(vm, "config.hardware.numCPU");
  out.hardware.cores_per_socket = std::max<std::int64_t>(1, whole(vm, "config.hardware.numCoresPerSocket"));
  out.hardware.memory_mib = whole(vm, "config.hardware.memoryMB");
  out.cpu_hot_add = property(vm, "config.cpuHotAddEnabled") == true;
  out.cpu_hot_remove = property(vm, "config.cpuHotRemoveEnabled") == true;
  out.memory_hot_add = property(vm, "config.memoryHotAddEnabled") == true;
  out.memory_increment_mib = whole(vm, "config.hotPlugMemoryIncrementSize");
  out.memory_limit_mib = whole(vm, "config.hotPlugMemoryLimit");
  return out;
}

json current_facts(const json& vm, const Current& current) {
  json facts{{"vm_id", vm.value("id", "")}, {"name", vm.value("name", "")}, {"path", vm.value("path", "")}};
  facts["power_state"] = current.power_state;
  if (current.hardware.cpu_count > 0) {
    facts["now"] = current.hardware.to_json();
    facts["hot_add"] = {{"cpu", current.cpu_hot_add},
                        {"cpu_removal", current.cpu_hot_remove},
                        {"memory", current.memory_hot_add}};
  }
  copy_property(facts, "cpu_used_mhz", vm, "summary.quickStats.overallCpuUsage");
  copy_property(facts, "memory_active_mib", vm, "summary.quickStats.guestMemoryUsage");
  copy_property(facts, "tools_running_status", vm, "guest.toolsRunningStatus");
  copy_unavailable(facts, vm);
  return facts;
}

// What modify_vm_resources would say to `wanted` as things are.
json plan_facts(const Current& current, const json& wanted) {
  const Wanted asked = read_wanted(args(wanted.dump()));
  if (!asked.refusal.empty()) return {{"possible_now", false}, {"why", asked.refusal}};
  const Plan plan = make_plan(current, asked);
  if (!plan.refusal.empty()) return {{"possible_now", false}, {"why", plan.refusal}};
  json out{{"possible_now", true}, {"after", plan.after.to_json()}};
  if (plan.empty()) out["nothing_to_do"] = true;
  return out;
}

std::string in_call(const json& wanted) {
  std::string out;
  for (const auto& [name, value] : wanted.items()) out += ", " + name + ": " + value.dump();
  return out.empty() ? ", cpu_count and/or memory_gb" : out;
}

Runbook resize_of(const json& vm, const json& wanted) {
  const std::string id = vm.value("id", ""), argument = "vm_id: " + quote(id);
  Runbook out("Resize the virtual machine " + quote(vm.value("name", "")) + " (" + id +
              ") safely: only as much as it needs, without a surprise for its guest system.");
  if (wanted.empty())
    out.step(
        "The person has not said how many CPUs or how much memory. Work out a suggestion with the next two "
        "steps and ask.");
  out.step("get_vm_details {" + argument +
           ", verbose: true}: size, power state and use of CPU and memory now. Does the use speak for the "
           "change? "
           "One moment is no trend: say so.")
      .step(
          "get_resource_utilization_summary {}: has the cluster of this machine room for it? Warn when CPU "
          "or "
          "memory would pass 80 %.")
      .step(
          "Look at `plan` in the facts, if there: possible_now false means that it needs the machine powered "
          "off, or other figures; `why` says which. A running machine only grows, and only with hot-add; its "
          "guest system must notice the new CPUs and memory itself.")
      .step(
          "If it must be off: agree with the person on a time, and have the guest system shut down in order "
          "from "
          "inside (there is no tool for that here). power_off_vm is like pulling the plug and acts at once: "
          "only "
          "if the person asks for just that.")
      .step(ask_first("whether these figures shall be set, and when"))
      .step(dry_run_then_confirm("modify_vm_resources", argument + in_call(wanted)) +
            " If the warnings tell something new, ask again.")
      .step("get_vm_details {" + argument +
            "}: check CPUs and memory. If it was powered off for this, power_on_vm {" + argument +
            "} as agreed, and check that the guest system comes up.")
      .step(
          "Report the figures before and after, and how to go back: the same tool with the old figures, "
          "powered "
          "off if they are smaller.");
  out.never("power off or restart the machine without a yes to exactly that.")
      .never("make a machine smaller because it is idle at this moment.")
      .never("change more than one machine in one go.");
  return out;
}

status get_resize(call& c, const args& a) {
  json wanted = json::object();
  if (const std::string text = a.text(kCpuCount); !text.empty()) {
    const auto count = number_in<int>(text, 1, kMostCpus);
    if (!count) return refuse_argument(c, kCpuCount, "a whole number from 1 to 1024, e.g. 4");
    wanted[kCpuCount] = *count;
  }
  if (const std::string text = a.text(kMemoryGb); !text.empty()) {
    const auto gib = number_in<double>(text, kLeastGib, kMostGib);
    if (!gib) return refuse_argument(c, kMemoryGb, "a number of GiB from 0.00390625 to 65536, e.g. 8");
    wanted[kMemoryGb] = *gib;
  }
  const Found found = find_one(c, kVm, a.text("vm"), kHardwareProperties);
  if (!found.source) return c.fail(found.source);
  const Current current = current_of(found.object);
  json facts = current_facts(found.object, current);
  if (!wanted.empty()) {
    facts["wanted"] = wanted;
    // Without its size there is nothing to plan from; `unavailable` says why.
    if (current.hardware.cpu_count > 0) facts["plan"] = plan_facts(current, wanted);
  }
  return resize_of(found.object, wanted).give(c, facts);
}

}  // namespace

void declare_safe_resize(prompt_builder& prompt) {
  prompt.title("Resize a VM safely")
      .describe(
          "Changes the CPUs or the memory of a virtual machine with care: looks at its use and its cluster, "
          "shows "
          "what would be done, and asks before it is done.")
      .argument("vm", "The virtual machine: its name, id (vm-42) or inventory path.", true)
      .argument(kCpuCount, "How many CPUs it shall have; left out: as many as now.")
      .argument(kMemoryGb, "How much memory it shall have, in GiB; left out: as much as now.")
      .get(get_resize);
}

status complete_resource_prompts(call& c, const completing& what) {
  if (is_about(what, kSafeResize, "vm")) return complete_names(c, "vm", what.value);
  if (is_about(what, kSafeResize, kCpuCount))
    return complete_from(c, what.value, {"1", "2", "4", "6", "8", "12", "16", "24", "32", "64"});
  if (is_about(what, kSafeResize, kMemoryGb))
    return complete_from(c, what.value,
                         {"1", "2", "4", "8", "12", "16", "24", "32", "48", "64", "96", "128"});
  return c.values({});
}

}  // namespace vmcp::plugins::resource
