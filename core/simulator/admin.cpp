#include "simulator/admin.h"

#include <algorithm>

#include "base/secret.h"
#include "simulator/statistics.h"

namespace vmcp::simulator {
namespace {

Reply json_reply(int status, const Json& body) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = dump_json(body);
  return reply;
}

Reply problem(int status, const std::string& text) {
  return json_reply(status, {{"error", text}});
}

std::string path_of(const Entity& entity) {
  std::string path;
  for (const Entity* at = &entity; at != nullptr && at->parent != nullptr; at = at->parent)
    path = "/" + at->name + path;
  return path;
}

Json snapshot_tree(const std::vector<Snapshot*>& list) {
  Json out = Json::array();
  for (const Snapshot* snapshot : list) {
    out.push_back({{"id", snapshot->id},
                   {"name", snapshot->name},
                   {"description", snapshot->description},
                   {"created", iso_time(snapshot->created)},
                   {"with_memory", snapshot->with_memory},
                   {"quiesced", snapshot->quiesced},
                   {"children", snapshot_tree(snapshot->children)}});
  }
  return out;
}

Json vm_state(Vm& vm, Millis now) {
  const VmUsage& usage = usage_of(vm, now);
  return {{"id", vm.id},
          {"name", vm.name},
          {"path", path_of(vm)},
          {"power", api_name(vm.power)},
          {"cpus", vm.cpus},
          {"cores_per_socket", vm.cores_per_socket},
          {"memory_mb", vm.memory_mb},
          {"cpu_hot_add", vm.cpu_hot_add},
          {"cpu_hot_remove", vm.cpu_hot_remove},
          {"memory_hot_add", vm.memory_hot_add},
          {"template", vm.is_template},
          {"accessible", vm.accessible},
          {"tools_running", vm.tools_running()},
          {"host", vm.host->id},
          {"cluster", vm.host->cluster->id},
          {"datacenter", vm.host->cluster->datacenter->id},
          {"folder", vm.parent->id},
          {"datastore", vm.datastore->id},
          {"committed", vm.committed()},
          {"cpu_mhz_used", usage.cpu_mhz},
          {"memory_mb_used", usage.memory_consumed_mb},
          {"snapshots", snapshot_tree(vm.snapshot_roots)},
          {"current_snapshot", vm.current_snapshot == nullptr ? Json() : Json(vm.current_snapshot->id)}};
}

Json host_state(Host& host, Millis now) {
  const HostUsage usage = usage_of(host, now);
  const auto running =
      std::count_if(host.vms.begin(), host.vms.end(), [](const Vm* vm) { return vm->power == Power::on; });
  return {{"id", host.id},
          {"name", host.name},
          {"cluster", host.cluster->id},
          {"maintenance", host.maintenance},
          {"cpu_mhz_used", usage.cpu_mhz},
          {"cpu_mhz_capacity", host.cpu_capacity_mhz()},
          {"memory_mb_used", usage.memory_mb},
          {"memory_mb_capacity", host.memory_mb()},
          {"vms", host.vms.size()},
          {"vms_powered_on", running}};
}

Json counts(const World& world) {
  std::map<std::string, std::size_t> by_power = {{"POWERED_ON", 0}, {"POWERED_OFF", 0}, {"SUSPENDED", 0}};
  std::size_t templates = 0;
  for (const Vm* vm : world.model.vms()) {
    templates += vm->is_template ? 1 : 0;
    ++by_power[api_name(vm->power)];
  }
  return {{"datacenters", world.model.datacenters().size()},
          {"clusters", world.model.clusters().size()},
          {"hosts", world.model.hosts().size()},
          {"datastores", world.model.datastores().size()},
          {"networks", world.model.networks().size()},
          {"folders", world.model.folders().size()},
          {"vms", world.model.vms().size()},
          {"templates", templates},
          {"vms_by_power", by_power},
          {"tasks_unfinished", world.tasks.unfinished()},
          {"sessions", world.sessions.list().size()},
          {"views", world.views.size()},
          {"faults", world.faults.size()}};
}

Reply state(World& world) {
  Json vms = Json::array();
  for (Vm* vm : world.model.vms()) vms.push_back(vm_state(*vm, world.now));
  Json hosts = Json::array();
  for (Host* host : world.model.hosts()) hosts.push_back(host_state(*host, world.now));
  Json stores = Json::array();
  for (const Datastore* store : world.model.datastores()) {
    stores.push_back({{"id", store->id},
                      {"name", store->name},
                      {"capacity", store->capacity},
                      {"free", free_space(*store)}});
  }
  return json_reply(200, {{"time", iso_time(world.now)},
                          {"release", world.settings.release},
                          {"counts", counts(world)},
                          {"vms", std::move(vms)},
                          {"hosts", std::move(hosts)},
                          {"datastores", std::move(stores)}});
}

Reply vm_by_id_or_name(World& world, const std::string& wanted) {
  if (Vm* vm = world.model.find_as<Vm>(wanted)) return json_reply(200, vm_state(*vm, world.now));
  std::vector<Vm*> named;
  for (Vm* vm : world.model.vms()) {
    if (vm->name == wanted) named.push_back(vm);
  }
  if (named.size() == 1) return json_reply(200, vm_state(*named[0], world.now));
  if (named.empty()) return problem(404, "no VM has the id or name '" + wanted + "'");
  Json ids = Json::array();
  for (const Vm* vm : named) ids.push_back(vm->id);
  return json_reply(409, {{"error", "several VMs have that name: use an id"}, {"ids", std::move(ids)}});
}

Reply sessions(const World& world) {
  Json out = Json::array();
  for (const Session* session : world.sessions.list()) {
    out.push_back({{"key", session->key},
                   {"user", session->user->name},
                   {"api", session->api == Api::vim ? "vim" : "automation"},
                   {"created", iso_time(session->created)},
                   {"last_access", iso_time(session->last_access)},
                   {"calls", session->calls}});
  }
  return json_reply(200, out);
}

Reply push_clock(World& world, VirtualClock& clock, const Json& body) {
  if (!body.is_object() || !body.contains("advance_ms") || !body["advance_ms"].is_number_integer() ||
      body["advance_ms"].get<std::int64_t>() < 0) {
    return problem(400, "give {\"advance_ms\": milliseconds}, not negative");
  }
  clock.advance(milliseconds(body["advance_ms"].get<std::int64_t>()));
  world.now = clock.now();
  world.tasks.settle(world.now);
  return json_reply(200, {{"time", iso_time(world.now)}});
}

// As if somebody else had done it in this vCenter: no request of the server's, so none is counted.
Reply change_vm(World& world, const std::string& id, const Json& body) {
  Vm* vm = world.model.find_as<Vm>(id);
  if (vm == nullptr) return problem(404, "no VM has the id '" + id + "'");
  const Json name = body.value("name", Json(vm->name)), folder = body.value("folder", Json(vm->parent->id));
  Folder* to = folder.is_string() ? world.model.find_as<Folder>(folder.get<std::string>()) : nullptr;
  if (!name.is_string() || name.get_ref<const std::string&>().empty() || to == nullptr ||
      to->type != FolderType::vm)
    return problem(400, "give {\"name\": text, \"folder\": id of a folder of VMs}, or one of them");
  vm->name = name.get<std::string>();
  world.model.move(*vm, *to);
  return json_reply(200, vm_state(*vm, world.now));
}

// Constant time, as any credential.
bool may(const World& world, const Request& request) {
  if (world.settings.admin_token.empty()) return true;
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view header = request.header("Authorization");
  return header.substr(0, kScheme.size()) == kScheme &&
         equal_constant_time(header.substr(kScheme.size()), world.settings.admin_token);
}

Reply orders(World& world, VirtualClock& clock, const Request& request, const std::string& what) {
  Result<Json> body = request.body.empty() ? Result<Json>(Json::object()) : parse_trusted_json(request.body);
  if (!body) return problem(400, body.error().text);
  constexpr std::string_view kVm = "state/vm/";
  if (what.starts_with(kVm) && body->is_object()) return change_vm(world, what.substr(kVm.size()), *body);
  if (what == "requests/reset") {
    world.traffic.reset();
    return json_reply(200, Json::object());
  }
  if (what == "fault") {
    const Result<void> added = add_fault(world, *body);
    return added ? json_reply(200, {{"faults", world.faults.size()}}) : problem(400, added.error().text);
  }
  if (what == "clock") return push_clock(world, clock, *body);
  if (what == "sessions/expire") return json_reply(200, {{"expired", world.sessions.expire_all()}});
  return problem(404, "no such admin path; see core/simulator/README.md");
}

}  // namespace

bool is_admin_path(const Request& request) {
  return request.path == "/simulator" || request.path.rfind("/simulator/", 0) == 0;
}

Result<void> add_fault(World& world, const Json& json) {
  if (!json.is_object() || !json.contains("task")) {
    Result<FaultRule> rule = FaultPlan::parse(json);
    if (!rule) return rule.error();
    world.faults.add(std::move(*rule));
    return {};
  }
  const bool good = json["task"].is_string() && json.value("count", Json(1)).is_number_integer() &&
                    json.value("fault", Json("")).is_string() &&
                    json.value("message", Json("")).is_string() &&
                    json.value("fields", Json::object()).is_object();
  if (!good) {
    return make_error(
        Code::invalid_argument,
        "fault rule: a task's failure is {\"task\":glob,\"count\":n,\"fault\":type,\"message\":text,"
        "\"fields\":{}}");
  }
  Failure failure;
  failure.type = json.value("fault", "GenericVmConfigFault");
  failure.message = json.value("message", "The operation failed by order of a fault rule.");
  failure.fields = json.value("fields", Json::object());
  if (failure.type == "GenericVmConfigFault" && !failure.fields.contains("reason")) {
    failure.fields["reason"] = failure.message;
  }
  world.tasks.inject(json["task"].get<std::string>(), json.value("count", 1), std::move(failure));
  return {};
}

Reply handle_admin(World& world, VirtualClock& clock, const Request& request) {
  if (!may(world, request))
    return problem(401, "the admin path needs 'Authorization: Bearer' with the admin token");
  const std::vector<std::string> path = split_path(request.path);
  std::string what;
  for (std::size_t i = 1; i < path.size(); ++i) what += (i > 1 ? "/" : "") + path[i];
  if (request.method == "POST") return orders(world, clock, request, what);
  if (request.method == "DELETE" && what == "fault") {
    world.faults.clear();
    world.tasks.forget_injections();
    return json_reply(200, {{"faults", 0}});
  }
  if (request.method != "GET") return problem(405, "this admin path knows GET, POST and DELETE");
  if (what == "state") return state(world);
  if (path.size() == 4 && path[1] == "state" && path[2] == "vm") return vm_by_id_or_name(world, path[3]);
  if (what == "requests") return json_reply(200, world.traffic.report());
  if (what == "sessions") return sessions(world);
  return problem(404, "no such admin path; see core/simulator/README.md");
}

}  // namespace vmcp::simulator
