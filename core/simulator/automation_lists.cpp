#include <algorithm>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

bool accepts(const std::vector<std::string>& wanted, std::string_view value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool in_datacenters(const std::vector<std::string>& wanted, const Entity& entity) {
  if (wanted.empty()) return true;
  const Datacenter* site = datacenter_of(entity);
  return site != nullptr && accepts(wanted, site->id);
}

bool in_folder(const std::vector<std::string>& wanted, const Entity& entity) {
  return wanted.empty() || (entity.parent != nullptr && accepts(wanted, entity.parent->id));
}

// The first value that is none of `known`, which a bad-argument answer then names.
const std::string* stranger(const std::vector<std::string>& values,
                            std::initializer_list<std::string_view> known) {
  for (const std::string& value : values) {
    if (std::find(known.begin(), known.end(), value) == known.end()) return &value;
  }
  return nullptr;
}

Answer bad_enum(const std::string& value, const char* what) {
  return invalid_argument_answer("'" + value + "' is not a " + what + ".", {value});
}

// Lists what `keep` accepts and the account may read; more than `limit` is an error, as the documents say.
template <class T, class Keep, class Write>
Answer list(Call& call, const std::vector<T*>& all, std::size_t limit, const Keep& keep, const Write& write) {
  if (!holds(call.user(), "System.Read")) return unauthorized(call.world.model.root(), "System.Read");
  Json out = Json::array();
  for (T* object : all) {
    if (!keep(*object) || !allowed(call.user(), *object, "System.Read")) continue;
    if (out.size() == limit) {
      return Answer::error("UNABLE_TO_ALLOCATE_RESOURCE",
                           {"com.vmware.api.vcenter.too_many_matches",
                            "Too many objects match. Add more filter criteria to reduce the number.",
                            {}});
    }
    out.push_back(write(*object));
  }
  return Answer::of(std::move(out));
}

// Null: `refusal` holds the answer.
template <class T>
T* resolve(Call& call, const char* what, const char* id_part, Answer& refusal) {
  T* object = call.world.model.find_as<T>(call.ids[0]);
  if (object == nullptr || !allowed(call.user(), *object, "System.View")) {
    refusal = not_found(what, id_part, call.ids[0]);
    return nullptr;
  }
  if (!allowed(call.user(), *object, "System.Read")) {
    refusal = unauthorized(*object, "System.Read");
    return nullptr;
  }
  return object;
}

Json allocation_json(const Allocation& allocation) {
  std::string level = allocation.level;
  std::transform(level.begin(), level.end(), level.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return {{"reservation", allocation.reservation},
          {"expandable_reservation", allocation.expandable},
          {"limit", allocation.limit},
          {"shares", {{"level", level}}}};
}

}  // namespace

Answer host_list(Call& call) {
  const auto ids = call.values("hosts"), names = call.values("names"), folders = call.values("folders"),
             sites = call.values("datacenters"), clusters = call.values("clusters"),
             states = call.values("connection_states"), standalone = call.values("standalone");
  if (const auto* bad = stranger(states, {"CONNECTED", "DISCONNECTED", "NOT_RESPONDING"})) {
    return bad_enum(*bad, "connection state");
  }
  if (const auto* bad = stranger(standalone, {"true", "false"})) return bad_enum(*bad, "boolean");
  const bool only_standalone = !standalone.empty() && standalone[0] == "true";
  const auto keep = [&](const Host& host) {
    // Every host of this vCenter is in a cluster and connected; the cluster stands in the folder.
    return accepts(ids, host.id) && accepts(names, host.name) && in_folder(folders, *host.cluster) &&
           in_datacenters(sites, host) && accepts(clusters, host.cluster->id) &&
           accepts(states, "CONNECTED") && !only_standalone;
  };
  return list(call, call.world.model.hosts(), 2500, keep, [](const Host& host) {
    return Json{{"host", host.id},
                {"name", host.name},
                {"connection_state", "CONNECTED"},
                {"power_state", "POWERED_ON"}};
  });
}

Answer datastore_list(Call& call) {
  const auto ids = call.values("datastores"), names = call.values("names"), types = call.values("types"),
             folders = call.values("folders"), sites = call.values("datacenters");
  if (const auto* bad = stranger(types, {"VMFS", "NFS", "NFS41", "CIFS", "VSAN", "VFFS", "VVOL"})) {
    return bad_enum(*bad, "datastore type");
  }
  const auto keep = [&](const Datastore& store) {
    return accepts(ids, store.id) && accepts(names, store.name) && accepts(types, store.type) &&
           in_folder(folders, store) && in_datacenters(sites, store);
  };
  return list(call, call.world.model.datastores(), 2500, keep, [](const Datastore& store) {
    return Json{{"datastore", store.id},
                {"name", store.name},
                {"type", store.type},
                {"free_space", free_space(store)},
                {"capacity", store.capacity}};
  });
}

Answer datastore_get(Call& call) {
  Answer refusal;
  const Datastore* store = resolve<Datastore>(call, "Datastore", "datastore", refusal);
  if (store == nullptr) return refusal;
  return Answer::of({{"name", store->name},
                     {"type", store->type},
                     {"accessible", true},
                     {"free_space", free_space(*store)},
                     {"multiple_host_access", store->hosts.size() > 1},
                     {"thin_provisioning_supported", true}});
}

Answer network_list(Call& call) {
  const auto ids = call.values("networks"), names = call.values("names"), types = call.values("types"),
             folders = call.values("folders"), sites = call.values("datacenters");
  if (const auto* bad = stranger(types, {"STANDARD_PORTGROUP", "DISTRIBUTED_PORTGROUP", "OPAQUE_NETWORK"})) {
    return bad_enum(*bad, "network type");
  }
  const auto type_of = [](const Network& network) {
    return network.distributed() ? "DISTRIBUTED_PORTGROUP" : "STANDARD_PORTGROUP";
  };
  const auto keep = [&](const Network& network) {
    return accepts(ids, network.id) && accepts(names, network.name) && accepts(types, type_of(network)) &&
           in_folder(folders, network) && in_datacenters(sites, network);
  };
  return list(call, call.world.model.networks(), 1000, keep, [&](const Network& network) {
    return Json{{"network", network.id}, {"name", network.name}, {"type", type_of(network)}};
  });
}

Answer datacenter_list(Call& call) {
  const auto ids = call.values("datacenters"), names = call.values("names"), folders = call.values("folders");
  const auto keep = [&](const Datacenter& site) {
    return accepts(ids, site.id) && accepts(names, site.name) && in_folder(folders, site);
  };
  return list(call, call.world.model.datacenters(), 1000, keep, [](const Datacenter& site) {
    return Json{{"datacenter", site.id}, {"name", site.name}};
  });
}

Answer datacenter_get(Call& call) {
  Answer refusal;
  const Datacenter* site = resolve<Datacenter>(call, "Datacenter", "datacenter", refusal);
  if (site == nullptr) return refusal;
  return Answer::of({{"name", site->name},
                     {"datastore_folder", site->datastore_folder->id},
                     {"host_folder", site->host_folder->id},
                     {"network_folder", site->network_folder->id},
                     {"vm_folder", site->vm_folder->id}});
}

Answer cluster_list(Call& call) {
  const auto ids = call.values("clusters"), names = call.values("names"), folders = call.values("folders"),
             sites = call.values("datacenters");
  const auto keep = [&](const Cluster& cluster) {
    return accepts(ids, cluster.id) && accepts(names, cluster.name) && in_folder(folders, cluster) &&
           in_datacenters(sites, cluster);
  };
  return list(call, call.world.model.clusters(), 1000, keep, [](const Cluster& cluster) {
    return Json{{"cluster", cluster.id},
                {"name", cluster.name},
                {"ha_enabled", cluster.ha},
                {"drs_enabled", cluster.drs}};
  });
}

Answer cluster_get(Call& call) {
  Answer refusal;
  const Cluster* cluster = resolve<Cluster>(call, "Cluster", "cluster", refusal);
  if (cluster == nullptr) return refusal;
  return Answer::of({{"name", cluster->name}, {"resource_pool", cluster->root_pool->id}});
}

Answer folder_list(Call& call) {
  const auto ids = call.values("folders"), names = call.values("names"), types = call.values("type"),
             parents = call.values("parent_folders"), sites = call.values("datacenters");
  if (const auto* bad = stranger(types, {"DATACENTER", "DATASTORE", "HOST", "NETWORK", "VIRTUAL_MACHINE"})) {
    return bad_enum(*bad, "folder type");
  }
  const auto keep = [&](const Folder& folder) {
    return accepts(ids, folder.id) && accepts(names, folder.name) && accepts(types, api_name(folder.type)) &&
           in_folder(parents, folder) && in_datacenters(sites, folder);
  };
  return list(call, call.world.model.folders(), 1000, keep, [](const Folder& folder) {
    return Json{{"folder", folder.id}, {"name", folder.name}, {"type", api_name(folder.type)}};
  });
}

Answer pool_list(Call& call) {
  const auto ids = call.values("resource_pools"), names = call.values("names"),
             parents = call.values("parent_resource_pools"), sites = call.values("datacenters"),
             hosts = call.values("hosts"), clusters = call.values("clusters");
  const auto has_host = [&](const Pool& pool) {
    if (hosts.empty()) return true;
    const auto& all = pool.cluster->hosts;
    return std::any_of(all.begin(), all.end(), [&](const Host* host) { return accepts(hosts, host->id); });
  };
  const auto keep = [&](const Pool& pool) {
    return accepts(ids, pool.id) && accepts(names, pool.name) && in_folder(parents, pool) &&
           in_datacenters(sites, pool) && accepts(clusters, pool.cluster->id) && has_host(pool);
  };
  return list(call, call.world.model.pools(), 1000, keep, [](const Pool& pool) {
    return Json{{"resource_pool", pool.id}, {"name", pool.name}};
  });
}

Answer pool_get(Call& call) {
  Answer refusal;
  const Pool* pool = resolve<Pool>(call, "Resource pool", "resourcepool", refusal);
  if (pool == nullptr) return refusal;
  Json children = Json::array();
  for (const Pool* child : pool->pools) children.push_back(child->id);
  return Answer::of({{"name", pool->name},
                     {"resource_pools", std::move(children)},
                     {"cpu_allocation", allocation_json(pool->cpu)},
                     {"memory_allocation", allocation_json(pool->memory)}});
}

}  // namespace vmcp::simulator
