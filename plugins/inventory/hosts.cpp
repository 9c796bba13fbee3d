#include "common/listing.h"
#include "common/lookup.h"
#include "common/object.h"
#include "common/schema.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

const std::vector<std::string> kBasicProperties = {"runtime.connectionState", "runtime.powerState",
                                                   "runtime.inMaintenanceMode"};
const std::vector<std::string> kVerboseProperties = {
    "runtime.connectionState",     "runtime.powerState",
    "runtime.inMaintenanceMode",   "parent",
    "summary.hardware.vendor",     "summary.hardware.model",
    "summary.hardware.cpuModel",   "summary.hardware.numCpuCores",
    "summary.hardware.memorySize", "summary.config.product.fullName"};

json hosts_item(const json& object) {
  json out{{"host", object.value("id", "")}, {"name", object.value("name", "")}};
  const std::string connection = automation_enum(text_property(object, "runtime.connectionState"));
  if (!connection.empty()) out["connection_state"] = connection;
  // What a host said before it was lost tells nothing about now.
  const std::string power = automation_enum(text_property(object, "runtime.powerState"));
  if (connection == "CONNECTED" && !power.empty())
    out["power_state"] = power == "STAND_BY" ? "STANDBY" : power;
  copy_property(out, "in_maintenance_mode", object, "runtime.inMaintenanceMode");
  copy_unavailable(out, object);
  return out;
}

json verbose_item(const json& object, const std::map<std::string, std::string>& clusters) {
  json out = hosts_item(object);
  out["path"] = object.value("path", "");
  const auto cluster = clusters.find(moref(property(object, "parent")));
  if (cluster != clusters.end()) out["cluster"] = named(cluster->first, cluster->second);
  copy_property(out, "vendor", object, "summary.hardware.vendor");
  copy_property(out, "model", object, "summary.hardware.model");
  copy_property(out, "cpu_model", object, "summary.hardware.cpuModel");
  copy_property(out, "cpu_cores", object, "summary.hardware.numCpuCores");
  copy_property(out, "memory_bytes", object, "summary.hardware.memorySize");
  copy_property(out, "version", object, "summary.config.product.fullName");
  return out;
}

status run_hosts(call& c, const args& a) {
  const Listing listing{"host", "hosts", c.verbose() ? kVerboseProperties : kBasicProperties, kMostItems};
  if (!c.verbose()) return run_listing(c, a, listing, hosts_item);

  const reply found = c.inventory().list(query_of(listing, a));
  if (!found) return c.fail(found);
  const json page = parse(found);
  const json objects = page.value("objects", json::array());
  std::set<std::string> parents;
  for (const json& object : objects) {
    const std::string parent = moref(property(object, "parent"));
    if (!parent.empty()) parents.insert(parent);
  }
  const auto clusters = cluster_names(c, parents);
  json items = json::array();
  for (const json& object : objects) items.push_back(verbose_item(object, clusters));
  return c.json(page_answer(c, listing.key, page, std::move(items)));
}

json hosts_item_schema() {
  return {{"host", string_schema("Its id.")},
          {"name", string_schema()},
          {"connection_state", string_schema("CONNECTED, DISCONNECTED or NOT_RESPONDING.")},
          {"power_state", string_schema("POWERED_ON, POWERED_OFF, STANDBY; only of a connected host.")},
          {"in_maintenance_mode", boolean_schema()},
          {"path", string_schema("Inventory path; this and what follows with verbose.")},
          {"cluster", object_schema()},
          {"vendor", string_schema()},
          {"model", string_schema()},
          {"cpu_model", string_schema()},
          {"cpu_cores", integer_schema()},
          {"memory_bytes", integer_schema()},
          {"version", string_schema()}};
}

}  // namespace

void declare_list_hosts(tool_builder& tool) {
  tool.title("List hosts")
      .describe(
          "Lists the ESXi hosts that the caller may see, sorted by name, with connection and power state. "
          "Narrow it by "
          "names (wildcards), clusters or datacenters.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .input(input_schema(
          {{"names", names_filter()},
           {"clusters", object_filter("cluster", "Only hosts of these clusters (ids, names or paths).")},
           {"datacenters",
            object_filter("datacenter", "Only hosts of these datacenters (ids, names or paths).")},
           {"limit", limit_argument(kMostItems, kMostItems)},
           {"cursor", cursor_argument()}}))
      .output(list_output_schema("hosts", hosts_item_schema(), {"host", "name"}))
      .run(run_hosts);
}

}  // namespace vmcp::plugins::inventory
