#include "vm/placement.h"

#include <set>

#include "common/object.h"

namespace vmcp::plugins::vm {

namespace {

json find_by_ids(call& c, const char* kind, const std::set<std::string>& ids, const json& properties) {
  if (ids.empty()) return json::array();
  const reply found = c.inventory().list(
      json{{"kind", kind}, {"properties", properties}, {"where", {{"ids", ids}}}, {"limit", ids.size()}});
  return found ? parse(found).value("objects", json::array()) : json::array();
}

json reference(const std::string& id, const std::string& name) {
  json out{{"id", id}};
  if (!name.empty()) out["name"] = name;
  return out;
}

}  // namespace

Placement Placement::of_vms(call& c, const json& vm_objects) {
  Placement out;
  std::set<std::string> host_ids, cluster_ids;
  for (const json& vm : vm_objects) {
    const std::string id = moref(property(vm, "runtime.host"));
    if (!id.empty()) host_ids.insert(id);
  }
  for (const json& host : find_by_ids(c, "host", host_ids, {"parent"})) {
    const std::string cluster = moref(property(host, "parent"));
    out.hosts_[host.value("id", "")] = Host{host.value("name", ""), cluster};
    if (!cluster.empty()) cluster_ids.insert(cluster);
  }
  for (const json& cluster : find_by_ids(c, "cluster", cluster_ids, json::array())) {
    // The ComputeResource of a standalone host is no cluster to the person who asks.
    if (cluster.value("type", "") == "ClusterComputeResource")
      out.clusters_[cluster.value("id", "")] = cluster.value("name", "");
  }
  return out;
}

void Placement::add_to(json& item, const json& vm_object) const {
  const std::string id = moref(property(vm_object, "runtime.host"));
  if (id.empty()) return;
  const auto host = hosts_.find(id);
  item["host"] = reference(id, host == hosts_.end() ? "" : host->second.name);
  if (host == hosts_.end()) return;
  const auto cluster = clusters_.find(host->second.cluster);
  if (cluster != clusters_.end()) item["cluster"] = reference(cluster->first, cluster->second);
}

}  // namespace vmcp::plugins::vm
