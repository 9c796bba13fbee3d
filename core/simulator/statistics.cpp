#include "simulator/statistics.h"

#include <algorithm>
#include <cmath>

#include "simulator/inventory_seed.h"

namespace vmcp::simulator {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kMostOfAHost = 0.95;  // what VMs may take together
constexpr std::int64_t kKnot = 15;     // intervals between two random values: 5 minutes

double unit(std::uint64_t bits) {  // 0 … 1
  return static_cast<double>(bits >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

// Random values every five minutes, eased between, so that neighbours in time differ little.
double noise(std::uint64_t seed, std::int64_t interval) {
  const std::int64_t knot = interval / kKnot;
  const double x = static_cast<double>(interval % kKnot) / static_cast<double>(kKnot);
  const double ease = x * x * (3 - 2 * x);
  const double a = unit(mix(seed ^ static_cast<std::uint64_t>(knot)));
  const double b = unit(mix(seed ^ static_cast<std::uint64_t>(knot + 1)));
  return a + (b - a) * ease;
}

struct Load {
  double cpu = 0;       // 0 … 1 of its vCPUs
  double active = 0;    // 0 … 1 of its memory
  double consumed = 0;  // 0 … 1 of its memory
};

Load load_of(const Vm& vm, std::int64_t interval) {
  const std::uint64_t s = vm.seed;
  const double base = 0.03 + 0.35 * unit(mix(s)) * unit(mix(s + 1));
  const double swing = 0.5 * base;
  const double period = 180.0 + 1260.0 * unit(mix(s + 2));  // intervals: 1 to 8 hours
  const double phase = unit(mix(s + 3));
  const double wave = std::sin(2 * kPi * (static_cast<double>(interval) / period + phase));
  Load load;
  load.cpu = std::clamp(base + swing * wave + 0.12 * noise(s + 4, interval), 0.01, 0.98);
  load.active = std::clamp(0.08 + 0.45 * unit(mix(s + 5)) + 0.10 * noise(s + 6, interval), 0.02, 0.9);
  load.consumed = std::clamp(load.active + 0.15 + 0.25 * unit(mix(s + 7)), load.active, 0.98);
  return load;
}

void refresh(Host& host, Millis now) {
  const std::int64_t interval = now / kStatisticsInterval;
  if (host.usage_interval == interval) return;
  host.usage_interval = interval;
  std::int64_t cpu = 0;
  std::int64_t memory = 0;
  for (Vm* vm : host.vms) {
    vm->usage = {};
    if (vm->power != Power::on) continue;
    const Load load = load_of(*vm, interval);
    vm->usage.cpu_mhz = std::max(1, static_cast<int>(load.cpu * vm->cpus * host.cpu_mhz));
    vm->usage.memory_active_mb = static_cast<int>(load.active * vm->memory_mb);
    vm->usage.memory_consumed_mb = static_cast<int>(load.consumed * vm->memory_mb);
    cpu += vm->usage.cpu_mhz;
    memory += vm->usage.memory_consumed_mb;
  }
  // An overcommitted host gives everybody less, as a scheduler would.
  const double cpu_room = kMostOfAHost * static_cast<double>(host.cpu_capacity_mhz());
  const double memory_room = kMostOfAHost * static_cast<double>(host.memory_mb());
  const double cpu_share = static_cast<double>(cpu) > cpu_room ? cpu_room / static_cast<double>(cpu) : 1;
  const double memory_share =
      static_cast<double>(memory) > memory_room ? memory_room / static_cast<double>(memory) : 1;
  cpu = memory = 0;
  for (Vm* vm : host.vms) {
    VmUsage& usage = vm->usage;
    usage.cpu_mhz = static_cast<int>(usage.cpu_mhz * cpu_share);
    usage.memory_consumed_mb = static_cast<int>(usage.memory_consumed_mb * memory_share);
    usage.memory_active_mb = std::min(usage.memory_active_mb, usage.memory_consumed_mb);
    cpu += usage.cpu_mhz;
    memory += usage.memory_consumed_mb;
  }
  host.usage.cpu_mhz = static_cast<int>(cpu + cpu / 128);
  host.usage.memory_mb = static_cast<int>(memory + memory / 128);
}

}  // namespace

const VmUsage& usage_of(Vm& vm, Millis now) {
  if (vm.host != nullptr) refresh(*vm.host, now);
  return vm.usage;
}

const HostUsage& usage_of(Host& host, Millis now) {
  refresh(host, now);
  return host.usage;
}

ClusterUsage usage_of(const Cluster& cluster, Millis now) {
  ClusterUsage out;
  for (Host* host : cluster.hosts) {
    const HostUsage& usage = usage_of(*host, now);
    out.cpu_mhz += usage.cpu_mhz;
    out.memory_mb += usage.memory_mb;
    out.cpu_capacity_mhz += host->cpu_capacity_mhz();
    out.memory_bytes += host->memory_bytes;
    out.cores += host->cores;
    out.threads += host->threads;
    ++out.hosts;
    if (!host->maintenance) {
      ++out.effective_hosts;
      out.effective_cpu_mhz += host->cpu_capacity_mhz();
      out.effective_memory_mb += host->memory_mb();
    }
    for (const Vm* vm : host->vms) {
      ++out.vms;
      if (vm->power != Power::on) ++out.powered_off_vms;
    }
  }
  return out;
}

}  // namespace vmcp::simulator
