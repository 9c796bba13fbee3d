#include "inventory/kinds.h"

#include <algorithm>

#include "inventory/inventory.h"
#include "vcenter/operations.h"

namespace vmcp::inventory {
namespace {

constexpr std::string_view kVm[] = {"VirtualMachine"};
constexpr std::string_view kHost[] = {"HostSystem"};
constexpr std::string_view kDatastore[] = {"Datastore"};
constexpr std::string_view kNetwork[] = {"Network", "DistributedVirtualPortgroup", "OpaqueNetwork"};
constexpr std::string_view kDatacenter[] = {"Datacenter"};
constexpr std::string_view kCluster[] = {"ClusterComputeResource", "ComputeResource"};
constexpr std::string_view kFolder[] = {"Folder", "StoragePod"};

constexpr Kind kKinds[] = {
    {"vm", "virtual machine", kVm},
    {"host", "host", kHost},
    {"datastore", "datastore", kDatastore},
    {"network", "network", kNetwork},
    {"datacenter", "datacenter", kDatacenter},
    {"cluster", "cluster", kCluster},
    {"folder", "folder", kFolder},
};

}  // namespace

std::span<const Kind> all_kinds() {
  return kKinds;
}

const Kind* find_kind(std::string_view name) {
  auto found =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.name == name; });
  return found == std::end(kKinds) ? nullptr : found;
}

const Kind* kind_of_type(std::string_view type) {
  auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) {
    return std::find(k.types.begin(), k.types.end(), type) != k.types.end();
  });
  return found == std::end(kKinds) ? nullptr : found;
}

bool is_kind(std::string_view kind) {
  return find_kind(kind) != nullptr;
}

Result<std::vector<TypeProperties>> spread_properties(const Kind& kind,
                                                      const std::vector<std::string>& wanted,
                                                      const std::vector<std::string>& always) {
  std::vector<TypeProperties> out;
  for (std::string_view type : kind.types) out.push_back({std::string(type), always});
  std::string unknown;
  for (const auto& path : wanted) {
    bool known = false;
    for (auto& entry : out) {
      if (!vcenter::find_vim_property(entry.type, path)) continue;
      known = true;
      if (std::find(entry.paths.begin(), entry.paths.end(), path) == entry.paths.end())
        entry.paths.push_back(path);
    }
    if (!known) unknown += (unknown.empty() ? "'" : ", '") + path + "'";
  }
  if (!unknown.empty())
    return make_error(Code::invalid_argument,
                      "A " + std::string(kind.word) + " has no property " + unknown +
                          "; give vim25 property paths such as 'name' or 'summary.quickStats'");
  return out;
}

}  // namespace vmcp::inventory
