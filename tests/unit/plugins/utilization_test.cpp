#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

constexpr const char* kUtilization = "get_resource_utilization_summary";
constexpr std::int64_t kGibibyte = 1024LL * 1024 * 1024;

Json host_properties(const char* cluster, const char* connection = "connected") {
  return {{"parent", reference("ClusterComputeResource", cluster)},
          {"datastore", Json::array({reference("Datastore", "datastore-1")})},
          {"runtime.connectionState", connection},
          {"runtime.powerState", "poweredOn"},
          {"runtime.inMaintenanceMode", false},
          {"summary.hardware.cpuMhz", 2000},
          {"summary.hardware.numCpuCores", 10},
          {"summary.hardware.memorySize", 100 * kGibibyte},
          {"summary.quickStats.overallCpuUsage", 5000},
          {"summary.quickStats.overallMemoryUsage", 51200}};
}

void add_vm(FakeHost& host, const char* id, const char* power, const char* runs_on) {
  host.add_object("vm", id, id,
                  {{"runtime.powerState", power}, {"runtime.host", reference("HostSystem", runs_on)}});
}

// Two clusters and a standalone host that share one datastore of 1000 GiB, 250 of them used.
void add_site(FakeHost& host) {
  host.add_object("cluster", "domain-c1", "prod", Json::object(), "ClusterComputeResource");
  host.add_object("cluster", "domain-c2", "test", Json::object(), "ClusterComputeResource");
  host.add_object("cluster", "domain-s3", "lone", Json::object(), "ComputeResource");
  host.add_object("host", "host-1", "a", host_properties("domain-c1"));
  host.add_object("host", "host-2", "b", host_properties("domain-c1"));
  host.add_object("host", "host-3", "c", host_properties("domain-c2", "notResponding"));
  host.add_object("host", "host-4", "d", host_properties("domain-s3"));
  add_vm(host, "vm-1", "poweredOn", "host-1");
  add_vm(host, "vm-2", "poweredOff", "host-2");
  add_vm(host, "vm-3", "suspended", "host-4");
  add_vm(host, "vm-4", "poweredOn", "host-unseen");
  host.add_object("datastore", "datastore-1", "ds",
                  {{"summary.capacity", 1000 * kGibibyte},
                   {"summary.freeSpace", 750 * kGibibyte},
                   {"summary.accessible", true}});
}

const Json& cluster(const Outcome& outcome, const char* name) {
  for (const Json& one : outcome.json.at("summary").at("clusters")) {
    if (one["name"] == name) return one;
  }
  throw std::runtime_error(std::string("no cluster ") + name);
}

}  // namespace

TEST_CASE("utilization: sums CPU, memory and storage per cluster and in all") {
  FakeHost host(plugin_file("resource"));
  add_site(host);
  const Outcome outcome = host.call(kUtilization, Json::object());
  check_answer(host, kUtilization, outcome);
  const Json& total = outcome.json["summary"]["total"];
  CHECK(total["cpu"] == Json{{"used_mhz", 15000}, {"total_mhz", 60000}, {"percent_used", 25.0}});
  CHECK(total["memory"] == Json{{"used_mib", 153600}, {"total_mib", 307200}, {"percent_used", 50.0}});
  CHECK(total["storage"] == Json{{"used_gib", 250.0}, {"total_gib", 1000.0}, {"percent_used", 25.0}});
  const Json& prod = cluster(outcome, "prod");
  CHECK(prod["cpu"]["used_mhz"] == 10000);
  CHECK(prod["storage"]["total_gib"] == 1000.0);
  CHECK(prod["standalone"] == false);
  CHECK(prod["hosts"]["total"] == 2);
  CHECK(prod["vms"]["by_state"] == Json{{"POWERED_ON", 1}, {"POWERED_OFF", 1}, {"SUSPENDED", 0}});
}

TEST_CASE("utilization: standalone hosts and VMs on unseen hosts are not forgotten") {
  FakeHost host(plugin_file("resource"));
  add_site(host);
  const Outcome outcome = host.call(kUtilization, Json::object());
  check_answer(host, kUtilization, outcome);
  CHECK(cluster(outcome, "lone")["standalone"] == true);
  CHECK(cluster(outcome, "lone")["vms"]["by_state"]["SUSPENDED"] == 1);
  CHECK(outcome.json["summary"]["total"]["vms"]["total"] == 4);
  CHECK(mentions(outcome.json["summary"]["notes"].dump(), "1 VM(s) run on no host"));
}

TEST_CASE("utilization: a lost host is counted, kept out of the capacity, and said so") {
  FakeHost host(plugin_file("resource"));
  add_site(host);
  const Outcome outcome = host.call(kUtilization, Json::object());
  check_answer(host, kUtilization, outcome);
  const Json& total = outcome.json["summary"]["total"];
  CHECK(total["hosts"]["total"] == 4);
  CHECK(total["hosts"]["by_state"]["NOT_RESPONDING"] == 1);
  CHECK(mentions(total["notes"].dump(), "1 host(s) are not connected"));
  // Its cluster has no other host: there is nothing measured, which is not the same as nothing used.
  CHECK(cluster(outcome, "test")["cpu"] == "unavailable");
  CHECK(cluster(outcome, "test")["memory"] == "unavailable");
}

TEST_CASE("utilization: a host without figures takes part in neither use nor capacity") {
  FakeHost host(plugin_file("resource"));
  Json silent = host_properties("domain-c1");
  silent.erase("summary.quickStats.overallCpuUsage");
  host.add_object("cluster", "domain-c1", "prod", Json::object(), "ClusterComputeResource");
  host.add_object("host", "host-1", "a", host_properties("domain-c1"));
  host.add_object("host", "host-2", "b", silent);
  const Outcome outcome = host.call(kUtilization, Json::object());
  check_answer(host, kUtilization, outcome);
  const Json& total = outcome.json["summary"]["total"];
  CHECK(total["cpu"]["total_mhz"] == 20000);
  CHECK(total["memory"]["total_mib"] == 102400);
  CHECK(mentions(total["notes"].dump(), "1 host(s) tell no figures"));
  CHECK(total["storage"] == "unavailable");
}

TEST_CASE("utilization: reads every page of the inventory") {
  FakeHost host(plugin_file("resource"));
  host.set_page_size(1);
  add_site(host);
  const Outcome outcome = host.call(kUtilization, Json::object());
  check_answer(host, kUtilization, outcome);
  CHECK(outcome.json["summary"]["total"]["vms"]["total"] == 4);
  CHECK(outcome.json["summary"]["total"]["hosts"]["total"] == 4);
}

TEST_CASE("utilization: a failing inventory is an error, not an empty site") {
  FakeHost host(plugin_file("resource"));
  host.fail_inventory(VMCP_E_TIMEOUT, "vCenter did not answer in time.");
  const Outcome outcome = host.call(kUtilization, Json::object());
  CHECK(outcome.status == VMCP_E_TIMEOUT);
  CHECK(outcome.failure == "vCenter did not answer in time.");
}
