#include "unit/plugins/support.h"

using namespace vmcp::test;

TEST_CASE("list_hosts: power state is told of connected hosts only") {
  FakeHost host(plugin_file("inventory"));
  host.add_object("host", "host-1", "esx1",
                  {{"runtime.connectionState", "connected"},
                   {"runtime.powerState", "poweredOn"},
                   {"runtime.inMaintenanceMode", false}});
  host.add_object("host", "host-2", "esx2",
                  {{"runtime.connectionState", "notResponding"},
                   {"runtime.powerState", "unknown"},
                   {"runtime.inMaintenanceMode", true}});
  const Outcome outcome = host.call("list_hosts", Json::object());
  check_answer(host, "list_hosts", outcome);
  CHECK(outcome.json["hosts"][0]["power_state"] == "POWERED_ON");
  CHECK(outcome.json["hosts"][1]["connection_state"] == "NOT_RESPONDING");
  CHECK(outcome.json["hosts"][1]["in_maintenance_mode"] == true);
  CHECK(!outcome.json["hosts"][1].contains("power_state"));
}

TEST_CASE("list_hosts: verbose names the cluster and the hardware") {
  FakeHost host(plugin_file("inventory"));
  host.add_object("host", "host-1", "esx1",
                  {{"runtime.connectionState", "connected"},
                   {"parent", reference("ClusterComputeResource", "domain-c8")},
                   {"summary.hardware.numCpuCores", 32},
                   {"summary.hardware.memorySize", 549755813888}});
  host.place("host-1", {"domain-c8"});
  host.add_object("cluster", "domain-c8", "prod", Json::object(), "ClusterComputeResource");
  host.set_verbose(true);
  const Outcome outcome = host.call("list_hosts", {{"clusters", {"domain-c8"}}});
  check_answer(host, "list_hosts", outcome);
  CHECK(outcome.json["hosts"][0]["cluster"]["name"] == "prod");
  CHECK(outcome.json["hosts"][0]["cpu_cores"] == 32);
  CHECK(host.requests().at(0).body["where"] == Json{{"clusters", {"domain-c8"}}});
}

TEST_CASE("list_datastores: sizes of one that cannot be reached are left out, not repeated from memory") {
  FakeHost host(plugin_file("inventory"));
  host.add_object("datastore", "datastore-1", "ds-a",
                  {{"summary.type", "VMFS"},
                   {"summary.capacity", 2199023255552},
                   {"summary.freeSpace", 880000000000},
                   {"summary.accessible", true}});
  host.add_object("datastore", "datastore-2", "ds-b",
                  {{"summary.type", "vsan"},
                   {"summary.capacity", 1},
                   {"summary.freeSpace", 1},
                   {"summary.accessible", false}});
  const Outcome outcome = host.call("list_datastores", Json::object());
  check_answer(host, "list_datastores", outcome);
  CHECK(outcome.json["datastores"][0] == Json{{"datastore", "datastore-1"},
                                              {"name", "ds-a"},
                                              {"type", "VMFS"},
                                              {"capacity", 2199023255552},
                                              {"free_space", 880000000000},
                                              {"accessible", true}});
  CHECK(outcome.json["datastores"][1]["type"] == "VSAN");
  CHECK(!outcome.json["datastores"][1].contains("capacity"));
}

TEST_CASE("list_networks: the three vim25 types have the Automation API's names") {
  FakeHost host(plugin_file("inventory"));
  host.add_object("network", "network-9", "VM Network", Json::object(), "Network");
  host.add_object("network", "dvportgroup-21", "prod", Json::object(), "DistributedVirtualPortgroup");
  host.add_object("network", "network-o3", "nsx", Json::object(), "OpaqueNetwork");
  const Outcome outcome = host.call("list_networks", Json::object());
  check_answer(host, "list_networks", outcome);
  CHECK(outcome.json["networks"][0]["type"] == "STANDARD_PORTGROUP");
  CHECK(outcome.json["networks"][1]["type"] == "DISTRIBUTED_PORTGROUP");
  CHECK(outcome.json["networks"][2]["type"] == "OPAQUE_NETWORK");
}

TEST_CASE("list_datacenters: gives ids and names, with verbose the path") {
  FakeHost host(plugin_file("inventory"));
  host.add_object("datacenter", "datacenter-3", "north", Json::object(), "Datacenter", "/north");
  const Outcome outcome = host.call("list_datacenters", Json::object());
  check_answer(host, "list_datacenters", outcome);
  CHECK(outcome.json["datacenters"] == Json::array({{{"datacenter", "datacenter-3"}, {"name", "north"}}}));
  host.set_verbose(true);
  CHECK(host.call("list_datacenters", Json::object()).json["datacenters"][0]["path"] == "/north");
}

TEST_CASE("lists: a failing inventory is an error in its own words") {
  for (const char* tool :
       {"list_hosts", "list_datastores", "list_networks", "list_datacenters", "get_datastore_usage"}) {
    CAPTURE(tool);
    FakeHost host(plugin_file("inventory"));
    host.fail_inventory(VMCP_E_DENIED, "The account lacks System.View.");
    const Outcome outcome = host.call(tool, Json::object());
    CHECK(outcome.status == VMCP_E_DENIED);
    CHECK(outcome.failure == "The account lacks System.View.");
  }
}
