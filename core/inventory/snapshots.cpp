#include "inventory/snapshots.h"

#include <vector>

#include "inventory/values.h"

namespace vmcp::inventory {
namespace {

constexpr std::size_t kMaxListed = 10;
constexpr int kMaxSnapshotDepth = 64;  // vCenter allows 32 levels

struct Snapshot {
  std::string moref, name, number, place;  // place: the names down the tree, "base/patched"
};

void collect(const Json& list, const std::string& above, int depth, std::vector<Snapshot>& out) {
  if (!list.is_array() || depth > kMaxSnapshotDepth) return;
  for (const Json& node : list) {
    if (!node.is_object()) continue;
    Snapshot one;
    if (auto found = node.find("snapshot"); found != node.end()) one.moref = reference_value(*found);
    if (auto found = node.find("name"); found != node.end()) one.name = text_value(*found);
    if (auto found = node.find("id"); found != node.end() && found->is_number_integer())
      one.number = std::to_string(found->get<std::int64_t>());
    one.place = above + one.name;
    std::string below = one.place + "/";
    if (!one.moref.empty()) out.push_back(std::move(one));
    if (auto children = node.find("childSnapshotList"); children != node.end())
      collect(*children, below, depth + 1, out);
  }
}

Result<std::vector<Snapshot>> read_snapshots(vcenter::Connection& vc, const Object& vm, const Limits& limits,
                                             const CallLimits& call) {
  auto reply = vc.vim({vm.type, vm.id, "snapshot", true, {}}, call);
  if (!reply.ok()) return *reply.error;
  std::vector<Snapshot> out;
  if (reply.body.empty()) return out;  // a VM without snapshots
  auto info = parse_trusted_json(reply.body, limits.max_reply_bytes);
  if (!info)
    return make_error(Code::unavailable,
                      "vCenter's answer about the snapshots cannot be read; look into the server's log",
                      info.error().text);
  if (info->is_object() && info->contains("rootSnapshotList"))
    collect((*info)["rootSnapshotList"], "", 0, out);
  return out;
}

std::string names_of(const std::vector<const Snapshot*>& list) {
  std::string out;
  for (std::size_t i = 0; i < list.size() && i < kMaxListed; ++i)
    out += (i ? ", " : "") + list[i]->moref + " (" + list[i]->place + ")";
  if (list.size() > kMaxListed) out += " and " + std::to_string(list.size() - kMaxListed) + " more";
  return out;
}

}  // namespace

Result<Object> resolve_snapshot(vcenter::Connection& vc, const Object& vm, std::string_view text,
                                const Limits& limits, const CallLimits& call) {
  auto all = read_snapshots(vc, vm, limits, call);
  if (!all) return all.error();
  std::vector<const Snapshot*> everyone, hits;
  for (const Snapshot& one : *all) {
    everyone.push_back(&one);
    if (!text.empty() && (one.moref == text || one.number == text || one.name == text)) hits.push_back(&one);
  }
  std::string asked(text.substr(0, 200));
  if (hits.empty()) {
    std::string known = everyone.empty() ? "it has none" : "it has " + names_of(everyone);
    return make_error(Code::not_found,
                      "The virtual machine '" + vm.name + "' has no snapshot '" + asked + "': " + known);
  }
  if (hits.size() > 1)
    return make_error(Code::invalid_argument, "'" + asked + "' names " + std::to_string(hits.size()) +
                                                  " snapshots of '" + vm.name + "': " + names_of(hits) +
                                                  ". Give the snapshot's id");
  const Snapshot& one = *hits.front();
  return Object{
      "snapshot", "VirtualMachineSnapshot", vm.vcenter, one.moref, one.name, {}, vm.id, vm.datacenter,
      vm.cluster};
}

}  // namespace vmcp::inventory
