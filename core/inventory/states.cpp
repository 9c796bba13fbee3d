#include "inventory/states.h"

#include <algorithm>

#include "inventory/traversal.h"
#include "inventory/values.h"

namespace vmcp::inventory {
namespace {

constexpr std::size_t kObjectsAtOnce = 500;

// "unknown" is what vCenter says of a host that it cannot reach.
bool is_power(const std::string& word) {
  return word == "POWERED_ON" || word == "POWERED_OFF" || word == "SUSPENDED" || word == "STANDBY";
}

bool place_unknown(std::string_view path) {
  return path.starts_with(kUnknownParent);
}

std::vector<TypeProperties> state_properties(const FactsWanted& wanted) {
  TypeProperties vm{"VirtualMachine", {}}, host{"HostSystem", {}};
  if (wanted.power) {
    vm.paths.emplace_back("runtime.powerState");
    host.paths.emplace_back("runtime.powerState");
  }
  if (wanted.cluster) vm.paths.emplace_back("runtime.host");
  std::vector<TypeProperties> out = {std::move(vm)};
  if (!host.paths.empty()) out.push_back(std::move(host));
  return out;
}

bool has_state(const Object& object, const FactsWanted& wanted) {
  return object.kind == "vm" || (object.kind == "host" && wanted.power);
}

StateNow read_state(const Json& content) {
  StateNow out;
  for (const char* member : {"propSet", "missingSet"}) {
    const auto set = content.find(member);
    if (set == content.end() || !set->is_array()) continue;
    for (const Json& entry : *set) {
      if (!entry.is_object()) continue;
      if (entry.contains("path")) out.why = text_value(entry["path"]) + ": " + missing_reason(entry);
      if (!entry.contains("name") || !entry.contains("val")) continue;
      if (entry["name"] == "runtime.powerState") out.power = power_word(text_value(entry["val"]));
      if (entry["name"] == "runtime.host") out.host = reference_value(entry["val"]);
    }
  }
  if (!is_power(out.power)) out.power.clear();
  return out;
}

}  // namespace

bool cluster_of_host(const Tree& tree, std::string_view host, std::optional<std::string>& cluster) {
  const Node* node = tree.find(host);
  if (!node || place_unknown(node->path)) return false;
  if (!node->cluster.empty()) cluster = node->cluster;
  return true;
}

void add_states(StateTable& out, const Rows& rows, const FactsWanted& wanted) {
  for (const Row& row : rows.rows) {
    Facts facts;
    if (wanted.power && is_power(row.power)) facts.power = row.power;
    if (wanted.power && !facts.power) facts.known = false;
    const bool placed = !wanted.cluster || row.object.kind != "vm" ||
                        (!row.hosts.empty() && cluster_of_host(*rows.tree, row.hosts.front(), facts.cluster));
    facts.known = facts.known && placed;
    out.by_id.emplace(row.object.id, std::move(facts));
  }
}

Result<std::vector<StateNow>> read_states(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                                          const FactsWanted& wanted, const Limits& limits,
                                          const CallLimits& call) {
  std::vector<Reference> asked;
  for (const Object* object : objects) {
    if (has_state(*object, wanted)) asked.push_back({object->type, object->id});
  }
  std::unordered_map<std::string, StateNow> found;
  const auto what = state_properties(wanted);
  for (std::size_t at = 0; at < asked.size(); at += kObjectsAtOnce) {
    const auto first = asked.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last =
        asked.begin() + static_cast<std::ptrdiff_t>(std::min(at + kObjectsAtOnce, asked.size()));
    auto done = read_some(vc, what, {first, last}, limits, call, [&](Json& content) {
      if (!content.is_object() || !content.contains("obj")) return;
      found[reference_value(content["obj"])] = read_state(content);
    });
    if (!done) return done.error();
  }
  std::vector<StateNow> out;
  for (const Object* object : objects) {
    auto state = found.find(object->id);
    out.push_back(state == found.end() ? StateNow{} : state->second);
  }
  return out;
}

Facts FactTable::of(const Object& object) const {
  Facts out;
  if (tags_) {
    if (auto found = tags_->by_id.find(object.id); found != tags_->by_id.end()) out.tags = found->second;
    out.absent_tags = tags_->absent;
  }
  const bool runs = object.kind == "vm" || (object.kind == "host" && wanted_.power);
  if (states_ && runs) {
    const auto found = states_->by_id.find(object.id);
    out.known = found != states_->by_id.end() && found->second.known;
    if (out.known) {
      out.power = found->second.power;
      out.cluster = found->second.cluster;
    }
  }
  if (wanted_.cluster && object.kind != "vm") {
    if (!object.cluster.empty()) out.cluster = object.cluster;
    // Of the other kinds it is known that they are in none.
    const bool may_be_in_one = object.kind == "host" || object.kind == "cluster";
    out.known = out.known && !(may_be_in_one && place_unknown(object.path));
  }
  return out;
}

}  // namespace vmcp::inventory
