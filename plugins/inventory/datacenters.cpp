#include "common/listing.h"
#include "common/object.h"
#include "common/schema.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

json datacenters_item(const json& object, bool verbose) {
  json out{{"datacenter", object.value("id", "")}, {"name", object.value("name", "")}};
  if (verbose) out["path"] = object.value("path", "");
  copy_unavailable(out, object);
  return out;
}

}  // namespace

void declare_list_datacenters(tool_builder& tool) {
  tool.title("List datacenters")
      .describe("Lists the datacenters of the vCenter that the caller may see, sorted by name.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .input(input_schema({{"names", names_filter()},
                           {"limit", limit_argument(kMostItems, kMostItems)},
                           {"cursor", cursor_argument()}}))
      .output(list_output_schema("datacenters",
                                 {{"datacenter", string_schema("Its id.")},
                                  {"name", string_schema()},
                                  {"path", string_schema("Inventory path; with verbose.")}},
                                 {"datacenter", "name"}))
      .run([](call& c, const args& a) {
        return run_listing(c, a, {"datacenter", "datacenters", {}, kMostItems},
                           [&](const json& object) { return datacenters_item(object, c.verbose()); });
      });
}

}  // namespace vmcp::plugins::inventory
