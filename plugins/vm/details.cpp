#include "common/answer.h"
#include "common/object.h"
#include "common/schema.h"
#include "vm/placement.h"
#include "vm/tools.h"

namespace vmcp::plugins::vm {

namespace {

// Not in the Automation API's answer: where it runs, what the guest tells.
const json kDetailsBasic = {"runtime.host", "guest.ipAddress", "guest.hostName", "guest.toolsRunningStatus"};
const json kDetailsVerbose = {"runtime.host",
                              "guest.ipAddress",
                              "guest.hostName",
                              "guest.toolsRunningStatus",
                              "guest.toolsVersionStatus2",
                              "summary.config.guestFullName",
                              "summary.config.annotation",
                              "summary.storage.committed",
                              "summary.storage.uncommitted",
                              "summary.quickStats.overallCpuUsage",
                              "summary.quickStats.guestMemoryUsage",
                              "summary.quickStats.hostMemoryUsage",
                              "summary.quickStats.uptimeSeconds"};

json guest_of(const json& object) {
  json out = json::object();
  copy_property(out, "host_name", object, "guest.hostName");
  copy_property(out, "ip_address", object, "guest.ipAddress");
  copy_property(out, "tools_running_status", object, "guest.toolsRunningStatus");
  copy_property(out, "tools_version_status", object, "guest.toolsVersionStatus2");
  copy_property(out, "full_name", object, "summary.config.guestFullName");
  return out;
}

void add_verbose(json& vm, const json& object) {
  copy_property(vm, "annotation", object, "summary.config.annotation");
  json usage = json::object();
  copy_property(usage, "cpu_used_mhz", object, "summary.quickStats.overallCpuUsage");
  copy_property(usage, "memory_active_mib", object, "summary.quickStats.guestMemoryUsage");
  copy_property(usage, "memory_consumed_mib", object, "summary.quickStats.hostMemoryUsage");
  copy_property(usage, "uptime_seconds", object, "summary.quickStats.uptimeSeconds");
  copy_property(usage, "storage_committed_bytes", object, "summary.storage.committed");
  copy_property(usage, "storage_uncommitted_bytes", object, "summary.storage.uncommitted");
  vm["usage"] = std::move(usage);
}

void add_inventory(call& c, json& vm, const std::string& id) {
  const reply found = c.inventory().get("vm", id, c.verbose() ? kDetailsVerbose : kDetailsBasic);
  if (!found) {
    // The details stand without it; what is missing is said, not left out.
    vm["unavailable"] = {{"host, cluster, path, guest", found.error}};
    return;
  }
  const json object = parse(found);
  vm["path"] = object.value("path", "");
  Placement::of_vms(c, json::array({object})).add_to(vm, object);
  vm["guest"] = guest_of(object);
  if (c.verbose()) add_verbose(vm, object);
  copy_unavailable(vm, object);
}

status run_details(call& c, const args& a) {
  const std::string id = a.text("vm_id");
  const reply found = c.vcenter().get(path("/api/vcenter/vm/{}", id));
  if (!found) return c.fail(found);
  json vm{{"vm", id}};
  const json details = parse(found);
  if (!details.is_object()) return c.fail(status::fault, "vCenter's answer about the VM was not understood.");
  vm.update(details);
  add_inventory(c, vm, id);
  return answer(c, "vm", std::move(vm));
}

json vm_schema() {
  return {{"type", "object"},
          {"properties",
           {{"vm", string_schema("Its id.")},
            {"name", string_schema()},
            {"power_state", string_schema("POWERED_ON, POWERED_OFF or SUSPENDED.")},
            {"guest_OS", string_schema()},
            {"cpu", object_schema()},
            {"memory", object_schema()},
            {"disks", {{"type", "object"}, {"description", "By key; capacity in bytes."}}},
            {"nics", {{"type", "object"}, {"description", "By key."}}},
            {"path", string_schema("Inventory path.")},
            {"host", object_schema()},
            {"cluster", object_schema()},
            {"guest", {{"type", "object"}, {"description", "What VMware Tools tells of the guest system."}}},
            {"usage",
             {{"type", "object"}, {"description", "With verbose: current use of CPU, memory, storage."}}},
            {"unavailable", {{"type", "object"}, {"description", "What could not be read, and why."}}}}},
          {"required", {"vm", "name", "power_state"}}};
}

}  // namespace

void declare_get_vm_details(tool_builder& tool) {
  tool.title("Show a virtual machine")
      .describe(
          "Shows one virtual machine: power state, CPU, memory, disks, network adapters, where it runs, and "
          "what its "
          "guest system tells. With verbose also its current use of CPU, memory and storage.")
      .reads()
      .idempotent()
      .privileges("System.Read")
      .input(input_schema({{"vm_id", vm_argument()}}, {"vm_id"}))
      .output(output_schema({{"vm", vm_schema()}}, json::array({"vm"})))
      .run(run_details);
}

}  // namespace vmcp::plugins::vm
