// Live numbers. A VM's load is a smooth, pure function of (its seed, the 20 s interval); a host is the sum of
// its running VMs plus less than 1 % of its own; a cluster is the sum of its hosts. So every figure of one
// interval agrees with every other, whoever asks and in whatever order. Guarded by VCenter's mutex.
#pragma once

#include "simulator/model.h"

namespace vmcp::simulator {

constexpr Millis kStatisticsInterval = 20'000;

// Each call brings the host's cache to the interval of `now` first.
const VmUsage& usage_of(Vm& vm, Millis now);
const HostUsage& usage_of(Host& host, Millis now);

struct ClusterUsage {
  std::int64_t cpu_mhz = 0, cpu_capacity_mhz = 0, effective_cpu_mhz = 0;
  std::int64_t memory_mb = 0, memory_bytes = 0, effective_memory_mb = 0;
  int hosts = 0, effective_hosts = 0, cores = 0, threads = 0;
  int vms = 0, powered_off_vms = 0;
};
ClusterUsage usage_of(const Cluster& cluster, Millis now);

}  // namespace vmcp::simulator
