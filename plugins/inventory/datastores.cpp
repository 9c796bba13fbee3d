#include "common/listing.h"
#include "common/object.h"
#include "common/schema.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

const std::vector<std::string> kProperties = {"summary.type", "summary.capacity", "summary.freeSpace",
                                              "summary.accessible"};

json datastores_item(const json& object, bool verbose) {
  json out{{"datastore", object.value("id", "")}, {"name", object.value("name", "")}};
  const std::string type = text_property(object, "summary.type");
  if (!type.empty()) out["type"] = automation_enum(type);
  // vim25 keeps telling the last known sizes of a datastore that cannot be reached.
  const json accessible = property(object, "summary.accessible");
  if (accessible != false) {
    copy_property(out, "capacity", object, "summary.capacity");
    copy_property(out, "free_space", object, "summary.freeSpace");
  }
  if (!accessible.is_null()) out["accessible"] = accessible;
  if (verbose) out["path"] = object.value("path", "");
  copy_unavailable(out, object);
  return out;
}

}  // namespace

void declare_list_datastores(tool_builder& tool) {
  tool.title("List datastores")
      .describe(
          "Lists the datastores that the caller may see, sorted by name, with type, capacity and free space "
          "in bytes. "
          "get_datastore_usage tells which of them are filling up.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .input(input_schema(
          {{"names", names_filter()},
           {"datacenters",
            object_filter("datacenter", "Only datastores of these datacenters (ids, names or paths).")},
           {"limit", limit_argument(kMostItems, kMostItems)},
           {"cursor", cursor_argument()}}))
      .output(list_output_schema("datastores",
                                 {{"datastore", string_schema("Its id.")},
                                  {"name", string_schema()},
                                  {"type", string_schema("VMFS, NFS, NFS41, CIFS, VSAN, VFFS or VVOL.")},
                                  {"capacity", integer_schema("Bytes; absent when it cannot be reached.")},
                                  {"free_space", integer_schema("Bytes; absent when it cannot be reached.")},
                                  {"accessible", boolean_schema()},
                                  {"path", string_schema("Inventory path; with verbose.")}},
                                 {"datastore", "name"}))
      .run([](call& c, const args& a) {
        return run_listing(c, a, {"datastore", "datastores", kProperties, kMostItems},
                           [&](const json& object) { return datastores_item(object, c.verbose()); });
      });
}

}  // namespace vmcp::plugins::inventory
