#include "common/listing.h"
#include "common/object.h"
#include "common/schema.h"
#include "vm/placement.h"
#include "vm/tools.h"

namespace vmcp::plugins::vm {

namespace {

constexpr int kDefaultLimit = 100;
constexpr int kMostItems = 1000;

const std::vector<std::string> kListBasic = {"runtime.powerState", "summary.config.numCpu",
                                             "summary.config.memorySizeMB"};
const std::vector<std::string> kListVerbose = {"runtime.powerState",
                                               "summary.config.numCpu",
                                               "summary.config.memorySizeMB",
                                               "summary.config.guestFullName",
                                               "summary.storage.committed",
                                               "runtime.host",
                                               "guest.ipAddress",
                                               "guest.toolsRunningStatus"};

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

json list_item(const json& object) {
  json out{{"vm", object.value("id", "")}, {"name", object.value("name", "")}};
  const std::string state = text_property(object, "runtime.powerState");
  if (!state.empty()) out["power_state"] = automation_enum(state);
  copy_property(out, "cpu_count", object, "summary.config.numCpu");
  copy_property(out, "memory_size_MiB", object, "summary.config.memorySizeMB");
  copy_unavailable(out, object);
  return out;
}

json verbose_item(const json& object, const Placement& placement) {
  json out = list_item(object);
  const std::string path = object.value("path", "");
  out["path"] = path;
  out["folder"] = folder_of(path);
  placement.add_to(out, object);
  copy_property(out, "guest_full_name", object, "summary.config.guestFullName");
  copy_property(out, "ip_address", object, "guest.ipAddress");
  copy_property(out, "tools_running_status", object, "guest.toolsRunningStatus");
  copy_property(out, "storage_committed_bytes", object, "summary.storage.committed");
  return out;
}

status run_list(call& c, const args& a) {
  const bool verbose = c.verbose();
  const Listing listing{"vm", "vms", verbose ? kListVerbose : kListBasic, kDefaultLimit};
  if (!verbose) return run_listing(c, a, listing, list_item);

  const reply found = c.inventory().list(query_of(listing, a));
  if (!found) return c.fail(found);
  const json page = parse(found);
  const json objects = page.value("objects", json::array());
  const Placement placement = Placement::of_vms(c, objects);
  json items = json::array();
  for (const json& object : objects) items.push_back(verbose_item(object, placement));
  return c.json(page_answer(c, listing.key, page, std::move(items)));
}

json input_properties() {
  return {
      {"names", names_filter()},
      {"power_states",
       {{"type", "array"},
        {"items", {{"type", "string"}, {"enum", {"POWERED_ON", "POWERED_OFF", "SUSPENDED"}}}},
        {"minItems", 1},
        {"maxItems", 3},
        {"description", "Only VMs in one of these states."}}},
      {"hosts", object_filter("host", "Only VMs on these hosts (ids, names or paths).")},
      {"clusters", object_filter("cluster", "Only VMs in these clusters (ids, names or paths).")},
      {"datacenters", object_filter("datacenter", "Only VMs in these datacenters (ids, names or paths).")},
      {"folders", object_filter("folder", "Only VMs in these folders (ids, names or paths).")},
      {"limit", limit_argument(kDefaultLimit, kMostItems)},
      {"cursor", cursor_argument()}};
}

json list_item_schema() {
  const json named{{"type", "object"},
                   {"properties", {{"id", string_schema()}, {"name", string_schema()}}},
                   {"required", {"id"}}};
  return {{"vm", string_schema("Its id, to be given as vm_id.")},
          {"name", string_schema()},
          {"power_state", string_schema("POWERED_ON, POWERED_OFF or SUSPENDED.")},
          {"cpu_count", integer_schema()},
          {"memory_size_MiB", integer_schema()},
          {"path", string_schema("Inventory path; this and what follows with verbose.")},
          {"folder", string_schema()},
          {"host", named},
          {"cluster", named},
          {"guest_full_name", string_schema()},
          {"ip_address", string_schema("Of the guest, as VMware Tools tells it.")},
          {"tools_running_status", string_schema()},
          {"storage_committed_bytes", integer_schema()}};
}

}  // namespace

void declare_list_vms(tool_builder& tool) {
  tool.title("List virtual machines")
      .describe(
          "Lists the virtual machines that the caller may see, sorted by name. Narrow it by names "
          "(wildcards), "
          "power states, hosts, clusters, datacenters or folders; values of one filter are alternatives, all "
          "filters must match. `total` counts every match, `next` leads to the following page.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .input(input_schema(input_properties()))
      .output(list_output_schema("vms", list_item_schema(), {"vm", "name"}))
      .run(run_list);
}

}  // namespace vmcp::plugins::vm
