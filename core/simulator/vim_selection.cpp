// The walk of a PropertyFilterSpec's object set: TraversalSpecs by type and path, named selections, loops.
#include <map>
#include <set>
#include <unordered_set>

#include "simulator/vim_collector.h"

namespace vmcp::simulator {
namespace {

constexpr int kDeepestWalk = 64;

class Walk {
 public:
  Walk(VimCall& call, const PropertyPlan& plan, std::size_t filter,
       std::vector<std::pair<std::string, std::size_t>>& out)
      : call_(call), plan_(plan), filter_(filter), out_(out) {}

  std::optional<Failure> start(const Json& object_spec) {
    if (!object_spec.contains("obj") || !object_spec["obj"].is_object()) {
      return invalid_argument("specSet.objectSet.obj", "Each ObjectSpec needs an obj.");
    }
    const Json& reference = object_spec["obj"];
    const Entity* entity = resolve(reference);
    if (entity == nullptr) return object_not_found(reference.value("type", ""), reference_id(reference));
    const Json* select = list_of(object_spec);
    named_.clear();
    if (select != nullptr) remember_names(*select);
    if (!skips(object_spec)) report(*entity);
    return select == nullptr ? std::nullopt : follow(*entity, *select, 0);
  }

 private:
  static const Json* list_of(const Json& spec) {
    const auto it = spec.find("selectSet");
    return it != spec.end() && it->is_array() ? &*it : nullptr;
  }
  static bool skips(const Json& spec) {
    const auto it = spec.find("skip");
    return it != spec.end() && it->is_boolean() && it->get<bool>();
  }

  const Entity* resolve(const Json& reference) const {
    const std::string id = reference_id(reference);
    const std::string type = reference.value("type", "");
    if (type == "ContainerView") {
      const auto it = call_.world.views.find(id);
      const bool mine = it != call_.world.views.end() && it->second->session_key == call_.session->key;
      return mine ? it->second.get() : nullptr;
    }
    const Entity* entity = call_.world.model.find(id);
    const bool fits =
        entity != nullptr && is_a(entity->kind, type) && allowed(call_.user(), *entity, "System.View");
    return fits ? entity : nullptr;
  }

  void remember_names(const Json& select) {
    for (const Json& spec : select) {
      if (!spec.is_object()) continue;
      if (spec.contains("type") && spec.contains("name") && spec["name"].is_string()) {
        named_[spec["name"].get<std::string>()] = &spec;
      }
      if (const Json* inner = list_of(spec)) remember_names(*inner);
    }
  }

  void report(const Entity& entity) {
    if (plan_.wanted(entity.kind) == nullptr || !reported_.insert(&entity).second) return;
    out_.emplace_back(entity.id, filter_);
  }

  std::optional<Failure> follow(const Entity& entity, const Json& select, int depth) {
    if (depth > kDeepestWalk) return std::nullopt;
    for (const Json& listed : select) {
      const Json* spec = &listed;
      if (spec->is_object() && !spec->contains("type")) {
        const auto it = named_.find(spec->value("name", ""));
        if (it == named_.end())
          return invalid_argument("specSet.objectSet.selectSet", "A selection names no TraversalSpec.");
        spec = it->second;
      }
      if (auto failure = traverse(entity, *spec, depth)) return failure;
    }
    return std::nullopt;
  }

  std::optional<Failure> traverse(const Entity& entity, const Json& spec, int depth) {
    const bool complete =
        spec.is_object() && spec.contains("path") && spec["path"].is_string() && spec["type"].is_string();
    if (!complete)
      return invalid_argument("specSet.objectSet.selectSet", "A TraversalSpec needs type and path.");
    if (!is_a(entity.kind, spec["type"].get_ref<const std::string&>())) return std::nullopt;
    const auto& path = spec["path"].get_ref<const std::string&>();
    if (find_path(entity.kind, path).empty()) return Failure{"InvalidProperty", "", {{"name", path}}};
    if (!done_.emplace(&entity, &spec).second) return std::nullopt;
    const Json* inner = list_of(spec);
    for (const Entity* next : references(call_.world, entity, path)) {
      if (!allowed(call_.user(), *next, "System.View")) continue;
      if (!skips(spec)) report(*next);
      if (inner == nullptr) continue;
      if (auto failure = follow(*next, *inner, depth + 1)) return failure;
    }
    return std::nullopt;
  }

  VimCall& call_;
  const PropertyPlan& plan_;
  const std::size_t filter_;
  std::vector<std::pair<std::string, std::size_t>>& out_;
  std::map<std::string, const Json*> named_;
  std::unordered_set<const Entity*> reported_;
  std::set<std::pair<const Entity*, const Json*>> done_;  // a ring of references ends here
};

}  // namespace

std::optional<Failure> select_objects(VimCall& call, const Json& specs,
                                      const std::vector<PropertyPlan>& plans,
                                      std::vector<std::pair<std::string, std::size_t>>& out) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto objects = specs[i].find("objectSet");
    if (objects == specs[i].end() || !objects->is_array()) {
      return invalid_argument("specSet.objectSet", "objectSet must be a list.");
    }
    Walk walk(call, plans[i], i, out);
    const auto lenient = specs[i].find("reportMissingObjectsInResults");
    for (const Json& object : *objects) {
      auto failure = walk.start(object);
      const bool skip = failure && failure->type == "ManagedObjectNotFound" && lenient != specs[i].end() &&
                        lenient->is_boolean() && lenient->get<bool>();
      if (failure && !skip) return failure;
    }
  }
  return std::nullopt;
}

}  // namespace vmcp::simulator
