#include "common/listing.h"
#include "common/object.h"
#include "common/schema.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

std::string automation_type(const std::string& vim25) {
  if (vim25 == "DistributedVirtualPortgroup") return "DISTRIBUTED_PORTGROUP";
  if (vim25 == "OpaqueNetwork") return "OPAQUE_NETWORK";
  return "STANDARD_PORTGROUP";
}

json networks_item(const json& object, bool verbose) {
  json out{{"network", object.value("id", "")},
           {"name", object.value("name", "")},
           {"type", automation_type(object.value("type", ""))}};
  if (verbose) {
    out["path"] = object.value("path", "");
    copy_property(out, "accessible", object, "summary.accessible");
  }
  copy_unavailable(out, object);
  return out;
}

}  // namespace

void declare_list_networks(tool_builder& tool) {
  tool.title("List networks")
      .describe(
          "Lists the networks (standard and distributed port groups, opaque networks) that the caller may "
          "see, sorted "
          "by name.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .input(input_schema(
          {{"names", names_filter()},
           {"datacenters",
            object_filter("datacenter", "Only networks of these datacenters (ids, names or paths).")},
           {"limit", limit_argument(kMostItems, kMostItems)},
           {"cursor", cursor_argument()}}))
      .output(list_output_schema(
          "networks",
          {{"network", string_schema("Its id.")},
           {"name", string_schema()},
           {"type", string_schema("STANDARD_PORTGROUP, DISTRIBUTED_PORTGROUP or OPAQUE_NETWORK.")},
           {"path", string_schema("Inventory path; with verbose.")},
           {"accessible", boolean_schema("With verbose.")}},
          {"network", "name", "type"}))
      .run([](call& c, const args& a) {
        std::vector<std::string> properties;
        if (c.verbose()) properties.emplace_back("summary.accessible");
        return run_listing(c, a, {"network", "networks", std::move(properties), kMostItems},
                           [&](const json& object) { return networks_item(object, c.verbose()); });
      });
}

}  // namespace vmcp::plugins::inventory
