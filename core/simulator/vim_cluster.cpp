// ClusterComputeResource and ResourcePool.
#include "simulator/statistics.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

bool zero(Out& out, const Subject&) {
  return put(out, 0);
}
bool green(Out& out, const Subject&) {
  return put(out, "green");
}
ClusterUsage usage(const Subject& s) {
  return usage_of(s.as<Cluster>(), s.now());
}

const Node kUsageSummary[] = {
    leaf("totalCpuCapacityMhz", "int",
         [](Out& o, const Subject& s) { return put(o, usage(s).cpu_capacity_mhz); }),
    leaf("totalMemCapacityMB", "int",
         [](Out& o, const Subject& s) { return put(o, usage(s).memory_bytes >> 20); }),
    leaf("cpuReservationMhz", "int", zero),
    leaf("memReservationMB", "int", zero),
    leaf("poweredOffCpuReservationMhz", "int", zero),
    leaf("poweredOffMemReservationMB", "int", zero),
    leaf("cpuDemandMhz", "int", [](Out& o, const Subject& s) { return put(o, usage(s).cpu_mhz); }),
    leaf("memDemandMB", "int", [](Out& o, const Subject& s) { return put(o, usage(s).memory_mb); }),
    leaf("statsGenNumber", "long",
         [](Out& o, const Subject& s) { return put(o, s.now() / kStatisticsInterval); }),
    leaf("cpuEntitledMhz", "int", [](Out& o, const Subject& s) { return put(o, usage(s).cpu_mhz); }),
    leaf("memEntitledMB", "int", [](Out& o, const Subject& s) { return put(o, usage(s).memory_mb); }),
    leaf("poweredOffVmCount", "int",
         [](Out& o, const Subject& s) { return put(o, usage(s).powered_off_vms); }),
    leaf("totalVmCount", "int", [](Out& o, const Subject& s) { return put(o, usage(s).vms); }),
};

const Node kClusterSummary[] = {
    leaf("totalCpu", "int", [](Out& o, const Subject& s) { return put(o, usage(s).cpu_capacity_mhz); }),
    leaf("totalMemory", "long", [](Out& o, const Subject& s) { return put(o, usage(s).memory_bytes); }),
    leaf("numCpuCores", "short", [](Out& o, const Subject& s) { return put(o, usage(s).cores); }),
    leaf("numCpuThreads", "short", [](Out& o, const Subject& s) { return put(o, usage(s).threads); }),
    leaf("effectiveCpu", "int", [](Out& o, const Subject& s) { return put(o, usage(s).effective_cpu_mhz); }),
    leaf("effectiveMemory", "long",
         [](Out& o, const Subject& s) { return put(o, usage(s).effective_memory_mb); }),
    leaf("numHosts", "int", [](Out& o, const Subject& s) { return put(o, usage(s).hosts); }),
    leaf("numEffectiveHosts", "int",
         [](Out& o, const Subject& s) { return put(o, usage(s).effective_hosts); }),
    leaf("overallStatus", "ManagedEntityStatus", green),
    leaf("currentFailoverLevel", "int",
         [](Out& o, const Subject& s) { return put(o, s.as<Cluster>().ha ? 1 : 0); }),
    leaf("numVmotions", "int", zero),
    leaf("drsScore", "int", [](Out& o, const Subject& s) { return s.as<Cluster>().drs && put(o, 93); }),
    structure("usageSummary", "ClusterUsageSummary", kUsageSummary),
    absent("admissionControlInfo clusterMaintenanceModeStatus currentBalance currentEVCGraphicsModeKey "
           "currentEVCModeKey dasData numVmsPerDrsScoreBucket targetBalance vcsHealthStatus vcsSlots"),
};

const Node kDas[] = {
    leaf("enabled", "boolean", [](Out& o, const Subject& s) { return put(o, s.as<Cluster>().ha); }),
    leaf("admissionControlEnabled", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Cluster>().ha); }),
    leaf("hostMonitoring", "string",
         [](Out& o, const Subject& s) { return put(o, s.as<Cluster>().ha ? "enabled" : "disabled"); }),
    leaf("vmMonitoring", "string", [](Out& o, const Subject&) { return put(o, "vmMonitoringDisabled"); }),
    leaf("failoverLevel", "int", [](Out& o, const Subject& s) { return put(o, s.as<Cluster>().ha ? 1 : 0); }),
    absent("admissionControlPolicy defaultVmSettings hBDatastoreCandidatePolicy heartbeatDatastore option "
           "vmComponentProtecting"),
};

const Node kDrs[] = {
    leaf("enabled", "boolean", [](Out& o, const Subject& s) { return put(o, s.as<Cluster>().drs); }),
    leaf("defaultVmBehavior", "DrsBehavior", [](Out& o, const Subject&) { return put(o, "fullyAutomated"); }),
    leaf("vmotionRate", "int", [](Out& o, const Subject&) { return put(o, 3); }),
    yes("enableVmBehaviorOverrides"),
    absent("option scaleDescendantsShares"),
};

const Node kConfiguration[] = {
    structure("dasConfig", "ClusterDasConfigInfo", kDas),
    structure("drsConfig", "ClusterDrsConfigInfo", kDrs),
    absent("dasVmConfig drsVmConfig rule"),
};

const Node kConfigurationEx[] = {
    leaf("vmSwapPlacement", "string", [](Out& o, const Subject&) { return put(o, "vmDirectory"); }),
    no("spbmEnabled"),
    structure("dasConfig", "ClusterDasConfigInfo", kDas),
    structure("drsConfig", "ClusterDrsConfigInfo", kDrs),
    absent("cryptoConfig dasVmConfig dpmConfigInfo dpmHostConfig drsVmConfig group infraUpdateHaConfig "
           "orchestration "
           "proactiveDrsConfig rule systemVMsConfig vmOrchestration vsanConfigInfo vsanHostConfig "
           "defaultHardwareVersionKey maximumHardwareVersionKey"),
};

const Node kCluster[] = {
    structure("summary", "ClusterComputeResourceSummary", kClusterSummary),
    structure("summaryEx", "ClusterComputeResourceSummary", kClusterSummary),
    structure("configuration", "ClusterConfigInfo", kConfiguration),
    structure("configurationEx", "ClusterConfigInfoEx", kConfigurationEx),
    seen("host", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Cluster>().hosts); }),
    seen("datastore", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Cluster>().datastores); }),
    seen("network", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Cluster>().networks); }),
    seen("resourcePool", "ManagedObjectReference",
         [](Out& o, const Subject& s) { return put_moref(o, *s.as<Cluster>().root_pool); }),
    absent("configManagerEnabled environmentBrowser lifecycleManaged actionHistory drsFault "
           "drsRecommendation hciConfig "
           "migrationHistory recommendation"),
};

// A pool uses what its running VMs and its child pools use.
VmUsage pool_usage(const Pool& pool, Millis now) {
  VmUsage sum;
  for (Vm* vm : pool.vms) {
    const VmUsage& one = usage_of(*vm, now);
    sum.cpu_mhz += one.cpu_mhz;
    sum.memory_active_mb += one.memory_active_mb;
    sum.memory_consumed_mb += one.memory_consumed_mb;
  }
  for (const Pool* child : pool.pools) {
    const VmUsage below = pool_usage(*child, now);
    sum.cpu_mhz += below.cpu_mhz;
    sum.memory_active_mb += below.memory_active_mb;
    sum.memory_consumed_mb += below.memory_consumed_mb;
  }
  return sum;
}

std::int64_t configured_mb(const Pool& pool) {
  std::int64_t sum = 0;
  for (const Vm* vm : pool.vms) sum += vm->memory_mb;
  for (const Pool* child : pool.pools) sum += configured_mb(*child);
  return sum;
}

std::int64_t cpu_ceiling(const Subject& s) {
  return usage_of(*s.as<Pool>().cluster, s.now()).effective_cpu_mhz;
}
std::int64_t memory_ceiling(const Subject& s) {
  return usage_of(*s.as<Pool>().cluster, s.now()).effective_memory_mb << 20;
}
bool put_cpu_ceiling(Out& out, const Subject& s) {
  return put(out, cpu_ceiling(s));
}
bool put_memory_ceiling(Out& out, const Subject& s) {
  return put(out, memory_ceiling(s));
}

const Node kCpuUsage[] = {
    leaf("reservationUsed", "long", zero),
    leaf("reservationUsedForVm", "long", zero),
    leaf("unreservedForPool", "long", put_cpu_ceiling),
    leaf("unreservedForVm", "long", put_cpu_ceiling),
    leaf("overallUsage", "long",
         [](Out& o, const Subject& s) { return put(o, pool_usage(s.as<Pool>(), s.now()).cpu_mhz); }),
    leaf("maxUsage", "long", put_cpu_ceiling),
};
const Node kMemoryUsage[] = {
    leaf("reservationUsed", "long", zero),
    leaf("reservationUsedForVm", "long", zero),
    leaf("unreservedForPool", "long", put_memory_ceiling),
    leaf("unreservedForVm", "long", put_memory_ceiling),
    leaf("overallUsage", "long",
         [](Out& o, const Subject& s) {
           return put(o, static_cast<std::int64_t>(pool_usage(s.as<Pool>(), s.now()).memory_consumed_mb)
                             << 20);
         }),
    leaf("maxUsage", "long", put_memory_ceiling),
};

const Node kPoolRuntime[] = {
    structure("memory", "ResourcePoolResourceUsage", kMemoryUsage),
    structure("cpu", "ResourcePoolResourceUsage", kCpuUsage),
    leaf("overallStatus", "ManagedEntityStatus", green),
    absent("sharesScalable"),
};

template <Allocation Pool::*kWhich>
bool put_allocation(Out& out, const Subject& s) {
  const Allocation& allocation = s.as<Pool>().*kWhich;
  return put_json(
      out, {{"_typeName", "ResourceAllocationInfo"},
            {"reservation", allocation.reservation},
            {"expandableReservation", allocation.expandable},
            {"limit", allocation.limit},
            {"shares",
             {{"_typeName", "SharesInfo"}, {"level", allocation.level}, {"shares", allocation.shares}}}});
}

const Node kPoolConfig[] = {
    leaf("entity", "ManagedObjectReference", [](Out& o, const Subject& s) { return put_moref(o, s.entity); }),
    leaf("cpuAllocation", "ResourceAllocationInfo", put_allocation<&Pool::cpu>),
    leaf("memoryAllocation", "ResourceAllocationInfo", put_allocation<&Pool::memory>),
    absent("changeVersion lastModified scaleDescendantsShares"),
};

const Node kPoolQuickStats[] = {
    leaf("overallCpuUsage", "long",
         [](Out& o, const Subject& s) { return put(o, pool_usage(s.as<Pool>(), s.now()).cpu_mhz); }),
    leaf("overallCpuDemand", "long",
         [](Out& o, const Subject& s) { return put(o, pool_usage(s.as<Pool>(), s.now()).cpu_mhz); }),
    leaf("guestMemoryUsage", "long",
         [](Out& o, const Subject& s) { return put(o, pool_usage(s.as<Pool>(), s.now()).memory_active_mb); }),
    leaf("hostMemoryUsage", "long",
         [](Out& o, const Subject& s) {
           return put(o, pool_usage(s.as<Pool>(), s.now()).memory_consumed_mb);
         }),
    leaf("balloonedMemory", "long", zero),
    leaf("swappedMemory", "long", zero),
    absent("compressedMemory consumedOverheadMemory distributedCpuEntitlement distributedMemoryEntitlement "
           "overheadMemory privateMemory sharedMemory staticCpuEntitlement staticMemoryEntitlement"),
};

const Node kPoolSummary[] = {
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, s.entity.name); }),
    structure("config", "ResourceConfigSpec", kPoolConfig),
    structure("runtime", "ResourcePoolRuntimeInfo", kPoolRuntime),
    structure("quickStats", "ResourcePoolQuickStats", kPoolQuickStats),
    leaf("configuredMemoryMB", "int",
         [](Out& o, const Subject& s) { return put(o, configured_mb(s.as<Pool>())); }),
};

const Node kPool[] = {
    structure("summary", "ResourcePoolSummary", kPoolSummary),
    structure("runtime", "ResourcePoolRuntimeInfo", kPoolRuntime),
    structure("config", "ResourceConfigSpec", kPoolConfig),
    seen("owner", "ManagedObjectReference",
         [](Out& o, const Subject& s) { return put_moref(o, *s.as<Pool>().cluster); }),
    seen("resourcePool", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Pool>().pools); }),
    seen("vm", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Pool>().vms); }),
    absent("childConfiguration namespace"),
};

}  // namespace

std::span<const Node> cluster_nodes() {
  return kCluster;
}
std::span<const Node> pool_nodes() {
  return kPool;
}

}  // namespace vmcp::simulator
