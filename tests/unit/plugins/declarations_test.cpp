#include <set>

#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

struct Expected {
  const char* plugin;
  const char* tool;
  std::uint32_t effect, flags;
};

constexpr std::uint32_t kIdempotent = VMCP_TOOL_IDEMPOTENT, kConfirm = VMCP_TOOL_NEEDS_CONFIRM,
                        kTask = VMCP_TOOL_TASK_OPTIONAL;

// The whole offer of the four plugins, in the order in which it is listed.
const Expected kTools[] = {
    {"vm", "list_vms", VMCP_EFFECT_READ, kIdempotent},
    {"vm", "get_vm_details", VMCP_EFFECT_READ, kIdempotent},
    {"vm", "power_on_vm", VMCP_EFFECT_CHANGE, kIdempotent | kTask},
    {"vm", "power_off_vm", VMCP_EFFECT_DESTROY, kIdempotent | kTask},
    {"vm", "restart_vm", VMCP_EFFECT_DESTROY, kTask},
    {"vm", "delete_vm", VMCP_EFFECT_DESTROY, kConfirm | kTask},
    {"snapshot", "list_vm_snapshots", VMCP_EFFECT_READ, kIdempotent},
    {"snapshot", "create_vm_snapshot", VMCP_EFFECT_CHANGE, kTask},
    {"snapshot", "delete_vm_snapshot", VMCP_EFFECT_DESTROY, kConfirm | kTask},
    {"inventory", "list_hosts", VMCP_EFFECT_READ, kIdempotent},
    {"inventory", "list_datastores", VMCP_EFFECT_READ, kIdempotent},
    {"inventory", "list_networks", VMCP_EFFECT_READ, kIdempotent},
    {"inventory", "list_datacenters", VMCP_EFFECT_READ, kIdempotent},
    {"inventory", "get_datastore_usage", VMCP_EFFECT_READ, kIdempotent},
    {"resource", "get_resource_utilization_summary", VMCP_EFFECT_READ, kIdempotent},
    {"resource", "modify_vm_resources", VMCP_EFFECT_CHANGE, kIdempotent | kConfirm},
};

const std::set<std::string> kHostOwned = {"hostname", "verbose", "confirm", "dry_run", "reason", "token"};

}  // namespace

TEST_CASE("plugins: the four offer the sixteen tools, in order, with effect and flags") {
  std::size_t at = 0;
  for (const char* plugin : {"vm", "snapshot", "inventory", "resource"}) {
    const FakeHost host(plugin_file(plugin));
    for (const std::string& name : host.tool_names()) {
      REQUIRE(at < std::size(kTools));
      const Expected& expected = kTools[at++];
      CAPTURE(name);
      CHECK(expected.plugin == std::string(plugin));
      CHECK(expected.tool == name);
      CHECK(host.tool(name).effect == expected.effect);
      CHECK(host.tool(name).flags == expected.flags);
    }
  }
  CHECK(at == 16);
}

TEST_CASE("plugins: every tool describes itself, its arguments, its answer and its privileges") {
  for (const Expected& expected : kTools) {
    CAPTURE(expected.tool);
    const FakeHost host(plugin_file(expected.plugin));
    const vmcp_tool& tool = host.tool(expected.tool);
    CHECK(std::string(tool.title).size() > 5);
    CHECK(std::string(tool.description).size() > 40);
    CHECK(!std::string(tool.privileges).empty());
    REQUIRE(tool.output_schema != nullptr);
    CHECK(Json::parse(tool.output_schema).at("type") == "object");
    const Json input = Json::parse(tool.input_schema);
    CHECK(input.at("type") == "object");
    CHECK(input.at("additionalProperties") == false);
    for (const auto& [name, property] : input.at("properties").items()) {
      CAPTURE(name);
      CHECK(property.contains("description"));
      CHECK(kHostOwned.count(name) == 0);
      // Nothing is unbounded: neither texts nor lists.
      if (property.at("type") == "string")
        CHECK((property.contains("maxLength") || property.contains("enum")));
      if (property.at("type") == "array") CHECK(property.contains("maxItems"));
    }
  }
}

TEST_CASE("plugins: arguments that name objects are marked with their kind") {
  const FakeHost vm(plugin_file("vm")), snapshot(plugin_file("snapshot"));
  const Json list = Json::parse(vm.tool("list_vms").input_schema).at("properties");
  for (const auto& [argument, kind] : {std::pair{"hosts", "host"},
                                       {"clusters", "cluster"},
                                       {"datacenters", "datacenter"},
                                       {"folders", "folder"}}) {
    CHECK(list.at(argument).at("items").at("x-vmcp-kind") == kind);
    CHECK(list.at(argument).at("items").at("x-vmcp-use") == "filter");
  }
  const Json remove = Json::parse(snapshot.tool("delete_vm_snapshot").input_schema);
  CHECK(remove.at("properties").at("vm_id").at("x-vmcp-kind") == "vm");
  CHECK(remove.at("properties").at("snapshot_id").at("x-vmcp-kind") == "snapshot");
  CHECK(remove.at("properties").at("snapshot_id").at("x-vmcp-within") == "/vm_id");
  CHECK(remove.at("required") == Json{"vm_id", "snapshot_id"});
}
