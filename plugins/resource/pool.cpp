#include "resource/pool.h"

#include <cmath>

#include "common/object.h"
#include "common/percent.h"

namespace vmcp::plugins::resource {

namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr double kGibibyte = 1024.0 * kMebibyte;
constexpr const char* kUnreadable = "UNAVAILABLE";

bool read_number(const json& object, const char* path, double& out) {
  const json value = property(object, path);
  if (!value.is_number()) return false;
  out = value.get<double>();
  return true;
}

double one_decimal(double value) {
  return std::round(value * 10) / 10;
}

json counts(const std::map<std::string, std::size_t>& by_state, std::initializer_list<const char*> always) {
  json out = json::object();
  for (const char* state : always) out[state] = 0;
  for (const auto& [state, count] : by_state) out[state] = count;
  return out;
}

}  // namespace

HostFigures HostFigures::of(const json& host_object) {
  HostFigures out;
  out.connection = automation_enum(text_property(host_object, "runtime.connectionState"));
  const std::string power = text_property(host_object, "runtime.powerState");
  out.serves = out.connection == "CONNECTED" && power != "poweredOff" && power != "standBy";
  out.in_maintenance = property(host_object, "runtime.inMaintenanceMode") == true;
  double mhz = 0, cores = 0, bytes = 0;
  out.measured = read_number(host_object, "summary.hardware.cpuMhz", mhz) &&
                 read_number(host_object, "summary.hardware.numCpuCores", cores) &&
                 read_number(host_object, "summary.hardware.memorySize", bytes) &&
                 read_number(host_object, "summary.quickStats.overallCpuUsage", out.cpu_used_mhz) &&
                 read_number(host_object, "summary.quickStats.overallMemoryUsage", out.memory_used_mib);
  out.cpu_total_mhz = mhz * cores;
  out.memory_total_mib = bytes / kMebibyte;
  return out;
}

void Pool::add_host(const HostFigures& host) {
  ++hosts_;
  ++hosts_by_state_[host.connection.empty() ? kUnreadable : host.connection];
  if (host.in_maintenance) ++in_maintenance_;
  if (!host.serves) {
    ++not_serving_;
    return;
  }
  if (!host.measured) {
    ++without_figures_;
    return;
  }
  ++measured_hosts_;
  cpu_used_mhz_ += host.cpu_used_mhz;
  cpu_total_mhz_ += host.cpu_total_mhz;
  memory_used_mib_ += host.memory_used_mib;
  memory_total_mib_ += host.memory_total_mib;
}

void Pool::add_vm(const std::string& power_state) {
  ++vms_;
  ++vms_by_state_[power_state.empty() ? kUnreadable : power_state];
}

void Pool::add_datastore(const std::string& id) {
  datastores_.insert(id);
}

json Pool::to_json(const std::map<std::string, DatastoreFigures>& datastores) const {
  double used_bytes = 0, total_bytes = 0;
  std::size_t measured_datastores = 0;
  for (const std::string& id : datastores_) {
    const auto found = datastores.find(id);
    if (found == datastores.end()) continue;
    ++measured_datastores;
    used_bytes += found->second.used_bytes;
    total_bytes += found->second.total_bytes;
  }
  json out = json::object();
  // "No host could be measured" is not "nothing is used".
  if (measured_hosts_ > 0) {
    out["cpu"] = {{"used_mhz", std::llround(cpu_used_mhz_)},
                  {"total_mhz", std::llround(cpu_total_mhz_)},
                  {"percent_used", percent(cpu_used_mhz_, cpu_total_mhz_)}};
    out["memory"] = {{"used_mib", std::llround(memory_used_mib_)},
                     {"total_mib", std::llround(memory_total_mib_)},
                     {"percent_used", percent(memory_used_mib_, memory_total_mib_)}};
  } else {
    out["cpu"] = out["memory"] = "unavailable";
  }
  if (measured_datastores > 0) {
    out["storage"] = {{"used_gib", one_decimal(used_bytes / kGibibyte)},
                      {"total_gib", one_decimal(total_bytes / kGibibyte)},
                      {"percent_used", percent(used_bytes, total_bytes)}};
  } else {
    out["storage"] = "unavailable";
  }
  out["hosts"] = {{"total", hosts_},
                  {"by_state", counts(hosts_by_state_, {"CONNECTED", "DISCONNECTED", "NOT_RESPONDING"})},
                  {"in_maintenance_mode", in_maintenance_}};
  out["vms"] = {{"total", vms_},
                {"by_state", counts(vms_by_state_, {"POWERED_ON", "POWERED_OFF", "SUSPENDED"})}};
  const json said = notes(datastores_.size() - measured_datastores);
  if (!said.empty()) out["notes"] = said;
  return out;
}

json Pool::notes(std::size_t unmeasured_datastores) const {
  json out = json::array();
  const auto note = [&](std::size_t count, const char* text) {
    if (count > 0) out.push_back(std::to_string(count) + text);
  };
  note(not_serving_, " host(s) are not connected or not switched on: counted, but not in CPU and memory.");
  note(without_figures_, " host(s) tell no figures now: counted, but not in CPU and memory.");
  note(unmeasured_datastores, " datastore(s) cannot be reached or not be seen: not in storage.");
  return out;
}

}  // namespace vmcp::plugins::resource
