// Sums over hosts, virtual machines and datastores: of one cluster, or of all.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include "common/json.h"

namespace vmcp::plugins::resource {

// One host as vCenter last saw it.
struct HostFigures {
  std::string connection;  // CONNECTED, DISCONNECTED, NOT_RESPONDING; empty when it could not be read
  bool serves = false;     // connected and switched on: its capacity is there now
  bool in_maintenance = false;
  bool measured = false;  // capacity and use are all known
  double cpu_used_mhz = 0, cpu_total_mhz = 0, memory_used_mib = 0, memory_total_mib = 0;

  static HostFigures of(const json& host_object);
};

struct DatastoreFigures {
  double used_bytes = 0, total_bytes = 0;
};

// Capacity counts only of hosts that serve and were measured; the others are counted and named in notes, so
// that a percentage never mixes capacity without use or use without capacity.
class Pool {
 public:
  void add_host(const HostFigures& host);
  void add_vm(const std::string& power_state);  // "POWERED_ON"; empty when it could not be read
  void add_datastore(const std::string& id);
  json to_json(const std::map<std::string, DatastoreFigures>& datastores) const;

 private:
  json notes(std::size_t unmeasured_datastores) const;

  double cpu_used_mhz_ = 0, cpu_total_mhz_ = 0, memory_used_mib_ = 0, memory_total_mib_ = 0;
  std::size_t hosts_ = 0, measured_hosts_ = 0, not_serving_ = 0, without_figures_ = 0, in_maintenance_ = 0;
  std::map<std::string, std::size_t> hosts_by_state_, vms_by_state_;
  std::size_t vms_ = 0;
  std::set<std::string> datastores_;  // a set: hosts share them
};

}  // namespace vmcp::plugins::resource
