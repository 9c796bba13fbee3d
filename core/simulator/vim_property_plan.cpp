#include <algorithm>
#include <array>

#include "simulator/vim_collector.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostPaths = 2000;

constexpr std::array kKinds = {Kind::service, Kind::folder,    Kind::datacenter, Kind::cluster,   Kind::host,
                               Kind::pool,    Kind::datastore, Kind::network,    Kind::portgroup, Kind::dvs,
                               Kind::vm,      Kind::snapshot,  Kind::task,       Kind::view};

void want(std::vector<WantedProperty>& list, std::string name, Path path) {
  const bool there =
      std::any_of(list.begin(), list.end(), [&](const WantedProperty& w) { return w.name == name; });
  if (!there) list.push_back({std::move(name), std::move(path)});
}

}  // namespace

const std::vector<WantedProperty>* PropertyPlan::wanted(Kind kind) const {
  const auto it = by_kind_.find(kind);
  return it == by_kind_.end() ? nullptr : &it->second;
}

std::optional<Failure> PropertyPlan::compile_one(const Json& spec) {
  if (!spec.is_object() || !spec.contains("type") || !spec["type"].is_string()) {
    return invalid_argument("specSet.propSet", "Each PropertySpec needs a type.");
  }
  const auto& type = spec["type"].get_ref<const std::string&>();
  const Json paths = spec.value("pathSet", Json::array());
  const bool all = spec.contains("all") && spec["all"] == true;
  if (!paths.is_array() || paths.size() > kMostPaths) {
    return invalid_argument("specSet.propSet.pathSet", "pathSet must list at most 2000 paths.");
  }
  // Types of vim25 that this inventory has no object of: asking for them is right and finds nothing.
  bool type_exists = type == "OpaqueNetwork" || type == "StoragePod" || type == "VirtualApp";
  for (const Kind kind : kKinds) {
    if (!is_a(kind, type)) continue;
    type_exists = true;
    std::vector<WantedProperty>& list = by_kind_[kind];
    if (all) {
      for (const Node* node : properties_of(kind)) want(list, std::string(node->name), {node});
      continue;
    }
    for (const Json& name : paths) {
      if (!name.is_string()) return invalid_argument("specSet.propSet.pathSet", "A path must be a string.");
      Path path = find_path(kind, name.get_ref<const std::string&>());
      if (path.empty()) return Failure{"InvalidProperty", "", {{"name", name}}};
      want(list, name.get<std::string>(), std::move(path));
    }
  }
  if (!type_exists)
    return Failure{"InvalidType", "There is no type " + type + ".", {{"argument", "specSet.propSet.type"}}};
  return std::nullopt;
}

std::optional<Failure> PropertyPlan::compile(const Json& prop_set) {
  if (!prop_set.is_array()) return invalid_argument("specSet.propSet", "propSet must be a list.");
  for (const Json& spec : prop_set) {
    if (auto failure = compile_one(spec)) return failure;
  }
  return std::nullopt;
}

}  // namespace vmcp::simulator
