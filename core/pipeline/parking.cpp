#include "pipeline/parking.h"

#include <stdexcept>

#include "base/crypto.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

constexpr std::size_t kMaxParkedBytes = 8u << 20;

std::int64_t to_ms(WallTime t) {
  return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

Json target_json(const plugin_host::Target& target) {
  const inventory::Object& o = target.object;
  return {{"pointer", target.pointer},
          {"filter", target.filter},
          {"kind", o.kind},
          {"type", o.type},
          {"vcenter", o.vcenter},
          {"id", o.id},
          {"name", o.name},
          {"path", o.path},
          {"within", o.within},
          {"datacenter", o.datacenter},
          {"cluster", o.cluster}};
}

plugin_host::Target target_of(const Json& json) {
  plugin_host::Target target;
  target.pointer = json.at("pointer").get<std::string>();
  target.filter = json.at("filter").get<bool>();
  inventory::Object& o = target.object;
  o.kind = json.at("kind").get<std::string>();
  o.type = json.at("type").get<std::string>();
  o.vcenter = json.at("vcenter").get<std::string>();
  o.id = json.at("id").get<std::string>();
  o.name = json.at("name").get<std::string>();
  o.path = json.at("path").get<std::string>();
  o.within = json.at("within").get<std::string>();
  o.datacenter = json.value("datacenter", "");
  o.cluster = json.value("cluster", "");
  return target;
}

Error unreadable() {
  return make_error(Code::internal,
                    "What this task had noted down cannot be read. Read the state before repeating it.");
}

void put_back(Walk& walk, const Json& parked) {
  plugin_host::Invocation& invocation = walk.invocation;
  walk.task = parked.at("task").get<std::string>();
  walk.begun_ms = parked.at("begun_ms").get<std::int64_t>();
  walk.intent_written = parked.at("intent").get<bool>();
  walk.plugin_args = parked.at("arguments").get<std::string>();
  if (auto arguments = parse_trusted_json(walk.plugin_args, kMaxParkedBytes); arguments)
    walk.call.arguments = std::move(*arguments);  // for the rules
  walk.host.verbose = parked.at("verbose").get<bool>();
  for (const Json& target : parked.at("targets")) walk.targets.push_back(target_of(target));
  invocation.round = parked.at("round").get<std::uint32_t>();
  if (!base64_decode(parked.at("state").get_ref<const std::string&>(), invocation.state))
    throw std::invalid_argument("state");
}

// How the vCenter task ended that a parked call waited for, for people.
std::string end_of_task(const Walk& walk) {
  const auto it = walk.invocation.inputs.find("task");
  const auto info = it == walk.invocation.inputs.end() ? Result<Json>(make_error(Code::not_found, {}))
                                                       : parse_trusted_json(it->second, 1u << 20);
  const std::string state =
      info && info->is_object() && info->contains("state") && (*info)["state"].is_string()
          ? (*info)["state"].get<std::string>()
          : std::string("unknown");
  return " Its vCenter task " + walk.task + " had been taken before and was not undone (" + state +
         "): read the state before you go on.";
}

}  // namespace

std::string park(const Services& services, const Walk& walk) {
  const auto spent = services.clock.now() - walk.context->started;
  Json targets = Json::array();
  for (const plugin_host::Target& target : walk.targets) targets.push_back(target_json(target));
  return dump_json(
      Json{{"vcenter", walk.connection->name()},
           {"task", walk.invocation.awaited_task},
           {"begun_ms", walk.begun_ms != 0 ? walk.begun_ms
                                           : to_ms(services.clock.wall()) -
                                                 std::chrono::duration_cast<milliseconds>(spent).count()},
           {"intent", walk.intent_written},
           {"arguments", walk.plugin_args},
           {"verbose", walk.host.verbose},
           {"targets", std::move(targets)},
           {"round", walk.invocation.round + 1},
           {"state", base64_encode(walk.invocation.next_state)}});
}

Result<ParkedAt> parked_at(const std::string& parked) {
  const auto json = parse_trusted_json(parked, kMaxParkedBytes);
  if (!json || !json->is_object()) return unreadable();
  ParkedAt at{json->value("vcenter", ""), json->value("task", "")};
  if (at.task.empty()) return unreadable();
  return at;
}

Result<void> unpark(Services& services, Walk& walk) {
  const auto json = parse_trusted_json(walk.call.parked, kMaxParkedBytes);
  if (!json || !json->is_object()) return unreadable();
  try {
    put_back(walk, *json);
  } catch (const std::exception&) {
    return unreadable();
  }
  auto connection = services.fleet.find(json->value("vcenter", ""));
  if (!connection) return connection.error();
  walk.connection = *connection;
  services.inventory.changed(*walk.connection);
  walk.invocation.inputs = std::move(walk.call.inputs);
  walk.task_lost = !walk.invocation.inputs.contains("task");
  static_cast<void>(look(services, walk));  // cannot be told: nothing is visible
  return {};
}

Result<void> authorise_again(Services& services, Walk& walk) {
  walk.tool = walk.catalog->registry.find(walk.call.name);
  if (!walk.tool)
    return make_error(Code::unavailable,
                      "'" + walk.call.name +
                          "' is no longer offered here, so nobody can say what became of its vCenter task " +
                          walk.task + ". Read the state.");
  // Only whether it may change more: what became of the task is told in any case.
  walk.may_still_change = authorise_targets(services, walk).ok();
  auto locked = walk.lock.check();
  if (!locked) locked.error().text += end_of_task(walk);
  return locked;
}

}  // namespace vmcp::pipeline
