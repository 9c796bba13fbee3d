#include "simulator/statistics.h"

#include "simulated.h"
#include "simulator/inventory_seed.h"

namespace vmcp::simulator {
namespace {

constexpr Millis kStatisticsNow = 1'790'000'000'000;

void check_host(Host& host, Millis now) {
  const HostUsage usage = usage_of(host, now);
  std::int64_t cpu = 0, memory = 0;
  for (Vm* vm : host.vms) {
    const VmUsage one = usage_of(*vm, now);
    if (vm->power != Power::on) CHECK(one.cpu_mhz + one.memory_consumed_mb == 0);
    CHECK(one.memory_active_mb <= one.memory_consumed_mb);
    cpu += one.cpu_mhz;
    memory += one.memory_consumed_mb;
  }
  CHECK(usage.cpu_mhz >= cpu);
  CHECK(usage.cpu_mhz <= cpu + cpu / 100);
  CHECK(usage.memory_mb >= memory);
  CHECK(usage.memory_mb <= memory + memory / 100);
  CHECK(usage.cpu_mhz <= host.cpu_capacity_mhz());
  CHECK(usage.memory_mb <= host.memory_mb());
}

}  // namespace

TEST_CASE("a host is the sum of its running VMs plus at most one percent, at every interval") {
  Model model;
  seed_inventory(model, {300, 1, kStatisticsNow});
  for (int i = 0; i < 50; ++i) {
    for (Host* host : model.hosts()) check_host(*host, kStatisticsNow + i * 7 * kStatisticsInterval);
  }
}

TEST_CASE("an overcommitted host stays below its capacity and still equals its VMs") {
  Model model;
  seed_inventory(model, {300, 1, kStatisticsNow});
  Host& host = *model.hosts()[0];
  host.cores = 2;
  host.memory_bytes = std::int64_t{8} << 30;
  host.usage_changed();
  check_host(host, kStatisticsNow);
  CHECK(usage_of(host, kStatisticsNow).cpu_mhz > host.cpu_capacity_mhz() * 9 / 10);
}

TEST_CASE("load moves, but smoothly") {
  Model model;
  seed_inventory(model, {120, 1, kStatisticsNow});
  int moved = 0;
  for (Vm* vm : model.vms()) {
    if (vm->power != Power::on) continue;
    const int limit = vm->cpus * vm->host->cpu_mhz;
    int before = usage_of(*vm, kStatisticsNow).cpu_mhz;
    const int first = before;
    for (int i = 1; i < 200; ++i) {
      const int now = usage_of(*vm, kStatisticsNow + i * kStatisticsInterval).cpu_mhz;
      CHECK(std::abs(now - before) <= limit / 20);
      before = now;
    }
    moved += before != first ? 1 : 0;
  }
  CHECK(moved > 50);
}

TEST_CASE("within one interval the numbers stand still, whoever asks") {
  Model model;
  seed_inventory(model, {120, 1, kStatisticsNow});
  const Millis start = kStatisticsNow / kStatisticsInterval * kStatisticsInterval;
  Host& host = *model.hosts()[0];
  const int cpu = usage_of(host, start).cpu_mhz;
  usage_of(host, start + 40 * kStatisticsInterval);
  CHECK(usage_of(host, start + kStatisticsInterval - 1).cpu_mhz == cpu);
}

TEST_CASE("a power-off lowers the host within one interval") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  const std::string host = sim.vm(vm)["host"];
  const int used = sim.vm(vm)["cpu_mhz_used"];
  REQUIRE(used > 0);
  const auto host_cpu = [&] {
    return retrieve(sim, "HostSystem",
                    Json::array(
                        {"summary.quickStats.overallCpuUsage"}))[host]["summary.quickStats.overallCpuUsage"]
        .get<int>();
  };
  const int before = host_cpu();
  REQUIRE(sim.post("/api/vcenter/vm/" + vm + "/power?action=stop").status == 204);
  CHECK(host_cpu() <= before - used);
  CHECK(sim.vm(vm)["cpu_mhz_used"] == 0);
}

TEST_CASE("a cluster is the sum of its hosts, in its summary and in its resource usage") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const auto hosts =
      retrieve(sim, "HostSystem",
               Json::array({"parent", "summary.quickStats.overallCpuUsage", "summary.hardware.memorySize"}));
  const auto clusters = retrieve(sim, "ClusterComputeResource", Json::array({"summary"}));
  REQUIRE(clusters.size() >= 3);
  for (const auto& [id, properties] : clusters) {
    std::int64_t cpu = 0, memory = 0, count = 0;
    for (const auto& [host, values] : hosts) {
      if (values.at("parent").at("value") != id) continue;
      cpu += values.at("summary.quickStats.overallCpuUsage").get<std::int64_t>();
      memory += values.at("summary.hardware.memorySize").get<std::int64_t>();
      ++count;
    }
    const Json& summary = properties.at("summary");
    CHECK(summary["usageSummary"]["cpuDemandMhz"] == cpu);
    CHECK(summary["totalMemory"] == memory);
    CHECK(summary["numHosts"] == count);
    const Json usage = sim.vim("ClusterComputeResource/" + id + "/GetResourceUsage").body;
    CHECK(usage["cpuUsedMHz"] == cpu);
    CHECK(usage["cpuUsedMHz"] <= usage["cpuCapacityMHz"]);
  }
}

TEST_CASE("a datastore's free space is its capacity less what its VMs commit") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  const Json before = sim.vm(vm);
  const auto free_of = [&] {
    const Json list =
        sim.get("/api/vcenter/datastore?datastores=" + before["datastore"].get<std::string>()).body;
    return list[0]["free_space"].get<std::int64_t>();
  };
  const std::int64_t free = free_of();
  REQUIRE(sim.post("/api/vcenter/vm/" + vm + "/power?action=stop").status == 204);
  // Its swap file is gone.
  CHECK(free_of() - free == before["memory_mb"].get<std::int64_t>() << 20);
  const std::int64_t committed = sim.vm(vm)["committed"];
  const std::int64_t stopped = free_of();
  REQUIRE(sim.send("DELETE", "/api/vcenter/vm/" + vm).status == 204);
  CHECK(free_of() - stopped == committed);
}

}  // namespace vmcp::simulator
