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
    {"vm", "virtual machine", "VirtualMachine", kVm},
    {"host", "host", "HostSystem", kHost},
    {"datastore", "datastore", "Datastore", kDatastore},
    {"network", "network", "Network", kNetwork},
    {"datacenter", "datacenter", "Datacenter", kDatacenter},
    {"cluster", "cluster", "ComputeResource", kCluster},
    {"folder", "folder", "Folder", kFolder},
};

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// False when no type of the kind has the path.
bool spread_one(const Kind& kind, const std::string& path, std::vector<TypeProperties>& out) {
  if (vcenter::find_vim_property(kind.base, path)) {
    if (!contains(out.front().paths, path)) out.front().paths.push_back(path);
    return true;
  }
  bool known = false;
  for (std::string_view type : kind.types) {
    if (!vcenter::find_vim_property(type, path)) continue;
    known = true;
    auto entry =
        std::find_if(out.begin(), out.end(), [&](const TypeProperties& p) { return p.type == type; });
    if (entry == out.end()) entry = out.insert(out.end(), {std::string(type), {}});
    if (!contains(entry->paths, path)) entry->paths.push_back(path);
  }
  return known;
}

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
  std::vector<TypeProperties> out = {{std::string(kind.base), always}};
  std::string unknown;
  for (const auto& path : wanted) {
    if (!spread_one(kind, path, out)) unknown += (unknown.empty() ? "'" : ", '") + path + "'";
  }
  if (!unknown.empty())
    return make_error(Code::invalid_argument,
                      "A " + std::string(kind.word) + " has no property " + unknown +
                          "; give vim25 property paths such as 'name' or 'summary.quickStats'");
  return out;
}

}  // namespace vmcp::inventory
