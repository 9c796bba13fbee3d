#include "vm/placement.h"

#include <set>

#include "common/lookup.h"

namespace vmcp::plugins::vm {

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
  out.clusters_ = cluster_names(c, cluster_ids);
  return out;
}

void Placement::add_to(json& item, const json& vm_object) const {
  const std::string id = moref(property(vm_object, "runtime.host"));
  if (id.empty()) return;
  const auto host = hosts_.find(id);
  item["host"] = named(id, host == hosts_.end() ? "" : host->second.name);
  if (host == hosts_.end()) return;
  const auto cluster = clusters_.find(host->second.cluster);
  if (cluster != clusters_.end()) item["cluster"] = named(cluster->first, cluster->second);
}

}  // namespace vmcp::plugins::vm
