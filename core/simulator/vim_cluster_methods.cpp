#include "simulator/statistics.h"
#include "simulator/vim.h"

namespace vmcp::simulator {

VimAnswer vim_cluster_usage(VimCall& call) {
  const auto& cluster = static_cast<const Cluster&>(*call.target);
  const ClusterUsage usage = usage_of(cluster, call.world.now);
  std::int64_t capacity = 0;
  std::int64_t free = 0;
  for (const Datastore* store : cluster.datastores) {
    capacity += store->capacity;
    free += free_space(*store);
  }
  return VimAnswer::of({{"_typeName", "ClusterResourceUsageSummary"},
                        {"cpuUsedMHz", usage.cpu_mhz},
                        {"cpuCapacityMHz", usage.cpu_capacity_mhz},
                        {"memUsedMB", usage.memory_mb},
                        {"memCapacityMB", usage.memory_bytes >> 20},
                        {"storageUsedMB", (capacity - free) >> 20},
                        {"storageCapacityMB", capacity >> 20}});
}

}  // namespace vmcp::simulator
