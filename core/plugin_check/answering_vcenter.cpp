#include "plugin_check/answering_vcenter.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "vcenter/client.h"

namespace vmcp::plugin_check {
namespace {

constexpr milliseconds kLookAround{10'000}, kTaskTime{2'000}, kBetweenLooks{5};
constexpr int kMaxSnapshotDepth = 32;

CallLimits within(milliseconds time) {
  return {std::chrono::steady_clock::now() + time, {}, {}};
}

bool sees_all(const inventory::Object&) {
  return true;
}

}  // namespace

Result<std::unique_ptr<AnsweringVcenter>> AnsweringVcenter::reach(const VcenterAddress& address, Log& log) {
  vcenter::Settings settings;
  settings.hosts = {address.host};
  settings.user = address.user;
  settings.password = Secret(address.password);
  settings.plain_http = true;
  settings.retries = 0;  // it is on this machine: once is enough
  std::unique_ptr<AnsweringVcenter> out(new AnsweringVcenter);
  auto fleet = vcenter::make_fleet(settings, log);
  if (!fleet) return fleet.error();
  out->fleet_ = std::move(*fleet);
  auto connection = out->fleet_->find({});
  if (!connection) return connection.error();
  out->connection_ = *connection;
  out->inventory_ = inventory::make_inventory(out->clock_);
  if (const auto r = out->learn_objects(); !r) return r.error();
  return out;
}

AnsweringVcenter::~AnsweringVcenter() = default;

Result<void> AnsweringVcenter::learn_objects() {
  for (const char* kind : {"vm", "host", "datastore", "network", "datacenter", "cluster", "folder"}) {
    Json query = {{"kind", kind}};
    if (kind == std::string_view("vm")) query["properties"] = {"snapshot"};
    const auto text = inventory_->list(*connection_, query, sees_all, within(kLookAround));
    if (!text) return text.error();
    const auto answer = parse_trusted_json(*text);
    if (!answer) return answer.error();
    for (const Json& object : (*answer)["objects"]) {
      const std::string id = object.value("id", "");
      objects_[kind].push_back(id);
      const Json::json_pointer snapshots("/properties/snapshot/rootSnapshotList");
      if (object.contains(snapshots)) learn_snapshots(id, object[snapshots], 0);
    }
  }
  return {};
}

void AnsweringVcenter::learn_snapshots(const std::string& vm, const Json& list, int depth) {
  if (!list.is_array() || depth > kMaxSnapshotDepth) return;
  for (const Json& node : list) {
    const Json::json_pointer id("/snapshot/value");
    if (!node.contains(id) || !node[id].is_string()) continue;
    const std::string snapshot = node[id].get<std::string>();
    objects_["snapshot"].push_back(snapshot);
    vm_of_[snapshot] = vm;
    if (node.contains("childSnapshotList")) learn_snapshots(vm, node["childSnapshotList"], depth + 1);
  }
}

std::optional<inventory::Object> AnsweringVcenter::find(const tools::ObjectArgument& argument,
                                                        const std::string& name,
                                                        const inventory::Object* whole) {
  auto found =
      whole == nullptr
          ? inventory_->resolve(*connection_, argument.kind, name, sees_all, within(kLookAround))
          : inventory_->resolve_within(*connection_, *whole, argument.kind, name, within(kLookAround));
  if (!found) return std::nullopt;
  return std::move(*found);
}

void AnsweringVcenter::make_agree(const tools::Tool& tool, Json& arguments) const {
  for (const tools::ObjectArgument& argument : tool.objects) {
    if (argument.within.empty()) continue;
    const Json::json_pointer part(argument.pointer), whole(argument.within);
    if (!arguments.contains(part) || !arguments[part].is_string()) continue;
    const auto vm = vm_of_.find(arguments[part].get<std::string>());
    if (vm != vm_of_.end()) arguments[whole] = vm->second;
  }
}

Json AnsweringVcenter::task_info(const std::string& task) {
  const CallLimits limits = within(kTaskTime);
  Json info;
  while (std::chrono::steady_clock::now() < limits.deadline) {
    const vcenter::Reply reply = connection_->vim({"Task", task, "info", true, {}}, limits);
    if (!reply.ok()) break;
    const auto parsed = parse_trusted_json(reply.body);
    if (!parsed || !parsed->is_object()) break;
    info = *parsed;
    const std::string state = info.value("state", "");
    if (state == "success" || state == "error") break;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  inventory_->changed(*connection_);
  return info;
}

}  // namespace vmcp::plugin_check
