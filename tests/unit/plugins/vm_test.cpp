#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

Json vm_properties(const char* power) {
  return {{"runtime.powerState", power},
          {"summary.config.numCpu", 4},
          {"summary.config.memorySizeMB", 8192},
          {"summary.config.guestFullName", "Debian 12"},
          {"runtime.host", reference("HostSystem", "host-31")},
          {"guest.ipAddress", "10.20.0.7"},
          {"guest.toolsRunningStatus", "guestToolsRunning"},
          {"summary.storage.committed", 53687091200}};
}

void add_placed_vm(FakeHost& host) {
  host.add_object("vm", "vm-1", "ledger-db", vm_properties("poweredOn"), "VirtualMachine",
                  "/north/vm/prod/ledger-db");
  host.add_object("host", "host-31", "esx07.test",
                  {{"parent", reference("ClusterComputeResource", "domain-c8")}}, "HostSystem");
  host.add_object("cluster", "domain-c8", "prod", Json::object(), "ClusterComputeResource");
}

}  // namespace

TEST_CASE("list_vms: gives id, name, power state, CPUs and memory") {
  FakeHost host(plugin_file("vm"));
  add_placed_vm(host);
  const Outcome outcome = host.call("list_vms", Json::object());
  check_answer(host, "list_vms", outcome);
  CHECK(outcome.json["count"] == 1);
  CHECK(outcome.json["total"] == 1);
  CHECK(outcome.json["truncated"] == false);
  CHECK(outcome.json["vms"] == Json::array({{{"vm", "vm-1"},
                                             {"name", "ledger-db"},
                                             {"power_state", "POWERED_ON"},
                                             {"cpu_count", 4},
                                             {"memory_size_MiB", 8192}}}));
  CHECK(host.requests().size() == 1);
}

TEST_CASE(
    "list_vms: verbose adds where it runs and what the guest tells, with two more requests for any page") {
  FakeHost host(plugin_file("vm"));
  add_placed_vm(host);
  host.add_object("vm", "vm-2", "web", vm_properties("poweredOff"), "VirtualMachine", "/north/vm/web");
  host.set_verbose(true);
  const Outcome outcome = host.call("list_vms", Json::object());
  check_answer(host, "list_vms", outcome);
  const Json& vm = outcome.json["vms"][0];
  CHECK(vm["path"] == "/north/vm/prod/ledger-db");
  CHECK(vm["folder"] == "/north/vm/prod");
  CHECK(vm["host"] == Json{{"id", "host-31"}, {"name", "esx07.test"}});
  CHECK(vm["cluster"] == Json{{"id", "domain-c8"}, {"name", "prod"}});
  CHECK(vm["ip_address"] == "10.20.0.7");
  CHECK(host.requests().size() == 3);
}

TEST_CASE("list_vms: a standalone host's compute resource is not called a cluster") {
  FakeHost host(plugin_file("vm"));
  host.add_object("vm", "vm-1", "a", vm_properties("poweredOn"));
  host.add_object("host", "host-31", "esx07.test", {{"parent", reference("ComputeResource", "domain-s9")}});
  host.add_object("cluster", "domain-s9", "esx07.test", Json::object(), "ComputeResource");
  host.set_verbose(true);
  const Outcome outcome = host.call("list_vms", Json::object());
  check_answer(host, "list_vms", outcome);
  CHECK(outcome.json["vms"][0].contains("host"));
  CHECK(!outcome.json["vms"][0].contains("cluster"));
}

TEST_CASE("list_vms: filters, limit and cursor reach the inventory as they are") {
  FakeHost host(plugin_file("vm"));
  const Json filters{
      {"names", {"ledger-*"}},     {"power_states", {"POWERED_ON"}},  {"hosts", {"host-31"}},
      {"clusters", {"domain-c8"}}, {"datacenters", {"datacenter-3"}}, {"folders", {"group-v4"}}};
  Json arguments = filters;
  arguments["limit"] = 7;
  arguments["cursor"] = "0";
  check_answer(host, "list_vms", host.call("list_vms", arguments));
  const Json& query = host.requests().at(0).body;
  CHECK(query["kind"] == "vm");
  CHECK(query["where"] == filters);
  CHECK(query["limit"] == 7);
  CHECK(query["cursor"] == "0");
}

TEST_CASE("list_vms: a cut list says so and names the next cursor") {
  FakeHost host(plugin_file("vm"));
  for (const char* id : {"vm-1", "vm-2", "vm-3"}) host.add_object("vm", id, id, vm_properties("poweredOn"));
  const Outcome first = host.call("list_vms", {{"limit", 2}});
  check_answer(host, "list_vms", first);
  CHECK(first.json["count"] == 2);
  CHECK(first.json["total"] == 3);
  CHECK(first.json["truncated"] == true);
  const Outcome second = host.call("list_vms", {{"limit", 2}, {"cursor", first.json["next"]}});
  check_answer(host, "list_vms", second);
  CHECK(second.json["vms"][0]["vm"] == "vm-3");
  CHECK(!second.json.contains("next"));
}

TEST_CASE("list_vms: what could not be read is named, never a zero") {
  FakeHost host(plugin_file("vm"));
  host.add_object("vm", "vm-1", "a", {{"runtime.powerState", "poweredOn"}});
  host.mark_unavailable("vm-1", {{"summary.config.numCpu", "NoPermission System.Read"}});
  const Outcome outcome = host.call("list_vms", Json::object());
  check_answer(host, "list_vms", outcome);
  CHECK(!outcome.json["vms"][0].contains("cpu_count"));
  CHECK(outcome.json["vms"][0]["unavailable"]["summary.config.numCpu"] == "NoPermission System.Read");
}

TEST_CASE("list_vms: a failing inventory is an error in its own words, not an empty list") {
  FakeHost host(plugin_file("vm"));
  host.fail_inventory(VMCP_E_UNAVAILABLE, "vCenter does not answer. Try again later.");
  const Outcome outcome = host.call("list_vms", Json::object());
  CHECK(outcome.status == VMCP_E_UNAVAILABLE);
  CHECK(outcome.failure == "vCenter does not answer. Try again later.");
  CHECK(outcome.json.is_null());
}

TEST_CASE("get_vm_details: joins the Automation API's answer with placement and guest") {
  FakeHost host(plugin_file("vm"));
  add_placed_vm(host);
  host.on_vcenter("GET /api/vcenter/vm/vm-1", {.body = {{"name", "ledger-db"},
                                                        {"power_state", "POWERED_ON"},
                                                        {"guest_OS", "DEBIAN_12_64"},
                                                        {"cpu", {{"count", 4}}},
                                                        {"memory", {{"size_MiB", 8192}}}}});
  const Outcome outcome = host.call("get_vm_details", {{"vm_id", "vm-1"}});
  check_answer(host, "get_vm_details", outcome);
  const Json& vm = outcome.json["vm"];
  CHECK(vm["vm"] == "vm-1");
  CHECK(vm["cpu"]["count"] == 4);
  CHECK(vm["path"] == "/north/vm/prod/ledger-db");
  CHECK(vm["host"]["name"] == "esx07.test");
  CHECK(vm["cluster"]["name"] == "prod");
  CHECK(vm["guest"]["ip_address"] == "10.20.0.7");
  CHECK(!vm.contains("usage"));

  host.set_verbose(true);
  const Outcome verbose = host.call("get_vm_details", {{"vm_id", "vm-1"}});
  check_answer(host, "get_vm_details", verbose);
  CHECK(verbose.json["vm"]["usage"]["storage_committed_bytes"] == 53687091200);
}

TEST_CASE("get_vm_details: without the inventory it tells what it could not look up") {
  FakeHost host(plugin_file("vm"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1", {.body = {{"name", "a"}, {"power_state", "POWERED_OFF"}}});
  host.fail_inventory(VMCP_E_DENIED, "The account lacks System.Read.");
  const Outcome outcome = host.call("get_vm_details", {{"vm_id", "vm-1"}});
  check_answer(host, "get_vm_details", outcome);
  CHECK(mentions(outcome.json["vm"]["unavailable"].dump(), "System.Read"));
}

TEST_CASE("get_vm_details: an id cannot leave its place in the path") {
  FakeHost host(plugin_file("vm"));
  const Outcome outcome = host.call("get_vm_details", {{"vm_id", "vm-1/power?action=stop"}});
  CHECK(outcome.status == VMCP_E_NOT_FOUND);
  CHECK(host.requests().at(0).what == "GET /api/vcenter/vm/vm-1%2Fpower%3Faction%3Dstop");
}

TEST_CASE("delete_vm: deletes one that is powered off") {
  FakeHost host(plugin_file("vm"));
  host.set_target("/vm_id", "vm-1", "ledger-db");
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", "POWERED_OFF"}}});
  host.on_vcenter("DELETE /api/vcenter/vm/vm-1", {.http_status = 204});
  const Outcome outcome = host.call("delete_vm", {{"vm_id", "vm-1"}});
  check_answer(host, "delete_vm", outcome);
  CHECK(outcome.result()["deleted"] == true);
  CHECK(outcome.result()["state"] == "completed");
  CHECK(outcome.result()["vm"]["name"] == "ledger-db");
}

TEST_CASE("delete_vm: one that runs or is suspended is refused with the way out, and nothing is sent") {
  for (const char* state : {"POWERED_ON", "SUSPENDED"}) {
    CAPTURE(state);
    FakeHost host(plugin_file("vm"));
    host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", state}}});
    const Outcome outcome = host.call("delete_vm", {{"vm_id", "vm-1"}});
    CHECK(outcome.status == VMCP_E_CONFLICT);
    CHECK(mentions(outcome.failure, "power_off_vm"));
    CHECK(host.changing_requests().empty());
  }
}

TEST_CASE("delete_vm: an unreadable state is told as it is, and nothing is sent") {
  FakeHost host(plugin_file("vm"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power",
                  vcenter_error(VMCP_E_DENIED, 403, "UNAUTHORIZED", "No permission to read it."));
  const Outcome outcome = host.call("delete_vm", {{"vm_id", "vm-1"}});
  CHECK(outcome.status == VMCP_E_DENIED);
  CHECK(mentions(outcome.failure, "No permission to read it."));
  CHECK_FALSE(mentions(outcome.failure, "is running"));
  CHECK(host.changing_requests().empty());
}

TEST_CASE("delete_vm: one that was started in between is refused with the way out") {
  FakeHost host(plugin_file("vm"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", "POWERED_OFF"}}});
  host.on_vcenter("DELETE /api/vcenter/vm/vm-1",
                  vcenter_error(VMCP_E_CONFLICT, 400, "NOT_ALLOWED_IN_CURRENT_STATE", "It is powered on."));
  const Outcome outcome = host.call("delete_vm", {{"vm_id", "vm-1"}});
  CHECK(outcome.status == VMCP_E_CONFLICT);
  CHECK(mentions(outcome.failure, "It is powered on."));
  CHECK(mentions(outcome.failure, "power_off_vm"));
  CHECK(host.changing_requests().size() == 1);
}

TEST_CASE("delete_vm: when vCenter does not answer in time it is running, not failed") {
  FakeHost host(plugin_file("vm"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", "POWERED_OFF"}}});
  host.on_vcenter("DELETE /api/vcenter/vm/vm-1", {.status = VMCP_E_TIMEOUT, .http_status = 0});
  const Outcome outcome = host.call("delete_vm", {{"vm_id", "vm-1"}});
  check_answer(host, "delete_vm", outcome);
  CHECK(outcome.result()["state"] == "running");
  CHECK(!outcome.result().contains("deleted"));
  CHECK(host.changing_requests().size() == 1);
}

TEST_CASE("delete_vm: the preview counts snapshots and sends nothing that changes") {
  FakeHost host(plugin_file("vm"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", "POWERED_ON"}}});
  const Json child{{"snapshot", reference("VirtualMachineSnapshot", "snapshot-2")}};
  const Json tree{{"snapshot", reference("VirtualMachineSnapshot", "snapshot-1")},
                  {"childSnapshotList", Json::array({child})}};
  host.add_object("vm", "vm-1", "a", {{"snapshot", {{"rootSnapshotList", Json::array({tree})}}}});
  const Outcome outcome = host.preview("delete_vm", {{"vm_id", "vm-1"}});
  check_preview(host, outcome);
  CHECK(outcome.json["before"]["snapshots"] == 2);
  CHECK(outcome.json["after"]["deleted"] == false);
  CHECK(mentions(outcome.json["warnings"].dump(), "is running and is not deleted"));
}
