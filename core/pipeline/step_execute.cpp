#include <algorithm>
#include <optional>
#include <thread>

#include "pipeline/inventory_resource.h"
#include "pipeline/parking.h"
#include "pipeline/steps.h"
#include "plugin_host/plugin.h"

namespace vmcp::pipeline {
namespace {

using plugin_host::Invocation;

// A little less than the caller's deadline, so that the plugin's own words about it can still leave.
constexpr milliseconds kAnswerMargin{500};

void wait(milliseconds how_long, const CallLimits& limits) {
  const SteadyTime until = std::min(std::chrono::steady_clock::now() + how_long, limits.deadline);
  while (std::chrono::steady_clock::now() < until && !limits.cancel.cancelled())
    std::this_thread::sleep_for(std::min(milliseconds(25), how_long));
}

// Follows a vCenter task to its end, or to shortly before the deadline. Gives the last TaskInfo that could be
// read, empty when none could: then nothing is known, and nothing is claimed.
std::string follow_task(Services& services, Walk& walk, const std::string& task) {
  const CallLimits limits{walk.invocation.limits.deadline - milliseconds(200), walk.context->cancel,
                          walk.context->traceparent};
  std::string last;
  milliseconds pause{50};
  walk.task_running = true;
  while (std::chrono::steady_clock::now() < limits.deadline && !limits.cancel.cancelled()) {
    const vcenter::Reply reply = walk.connection->vim({"Task", task, "info", true, {}}, limits);
    if (reply.ok()) {
      last = reply.body;
      const auto info = parse_trusted_json(reply.body, 1u << 20);
      const Json state = info && info->is_object() && info->contains("state") ? (*info)["state"] : Json();
      if (state == "success" || state == "error") {
        walk.task_running = false;
        break;
      }
    } else if (reply.error->code == Code::not_found) {
      break;
    }
    wait(pause, limits);
    pause = std::min(pause * 2, milliseconds(1000));
  }
  services.inventory.changed(*walk.connection);
  return last;
}

void prepare(Services& services, Walk& walk) {
  Invocation& invocation = walk.invocation;
  invocation.connection = walk.connection;
  invocation.inventory = &services.inventory;
  invocation.limited_view = walk.policy->limited(*walk.context->principal);
  const bool may_change =
      walk.tool->changes() && !walk.host.dry_run && walk.intent_written && walk.may_still_change;
  invocation.allowed = may_change ? plugin_host::Allowed::change : plugin_host::Allowed::read;
  invocation.targets = walk.targets;
  invocation.limits = {walk.deadline - kAnswerMargin, walk.context->cancel, walk.context->traceparent};
  invocation.verbose = walk.host.verbose;
  invocation.client_can = walk.call.client_side.can;
  invocation.traceparent = walk.context->traceparent;
  invocation.on_progress = walk.call.client_side.on_progress;
  invocation.on_log = walk.call.client_side.on_log;
  invocation.on_close_stream = walk.call.client_side.on_close_stream;
  invocation.on_accepted = [&services, &walk](const std::string& task) {
    walk.task = task;
    std::vector<std::string> targets;
    audit::Record record = record_of(walk, targets);
    record.event = audit::Event::accepted;
    record.ok = true;
    services.audit.buffered(record);
  };
}

// What the host answers itself. Empty: the plugin's.
std::optional<Result<void>> by_the_host(Services& services, Walk& walk) {
  Invocation& invocation = walk.invocation;
  if (walk.tool->plugin != nullptr) return std::nullopt;
  if (walk.call.feature == Feature::resource) {
    auto uri = read_inventory_uri(walk.call.name);
    if (!uri) return Result<void>(uri.error());
    return read_inventory_resource(services, *walk.connection, *uri, walk.call.name, invocation);
  }
  const Json& arguments = walk.call.arguments;
  auto values = complete_inventory(services, walk.connection, arguments.value("name", ""),
                                   arguments.value("value", ""), invocation);
  if (!values) return Result<void>(values.error());
  invocation.structured = std::move(*values);
  return Result<void>();
}

// "prompt/NAME" → {"type":"ref/prompt","name":NAME}; "resource/TEMPLATE" likewise.
std::string completion_ref(const std::string& name) {
  if (name.starts_with("prompt/")) return dump_json(Json{{"type", "ref/prompt"}, {"name", name.substr(7)}});
  return dump_json(Json{{"type", "ref/resource"}, {"uri", name.substr(9)}});
}

vmcp_status complete_by(const plugin_host::Plugin& plugin, Services& services, Walk& walk) {
  const Json& arguments = walk.call.arguments;
  const std::string value = arguments.value("value", ""), name = arguments.value("name", "");
  const auto context = arguments.find("context");
  if (name == tools::kHostname && walk.call.name.starts_with("prompt/")) {
    auto vcenters = complete_inventory(services, nullptr, "vcenter", value, walk.invocation);
    walk.invocation.structured = std::move(*vcenters);
    return VMCP_OK;
  }
  const vmcp_status status = plugin.complete(walk.invocation, completion_ref(walk.call.name), name, value,
                                             context == arguments.end() ? "{}" : dump_json(*context));
  if (status != VMCP_E_UNSUPPORTED) return status;
  // A plugin without completion: arguments that are named like a kind of object complete from the inventory.
  auto values = complete_inventory(services, walk.connection, name, value, walk.invocation);
  if (!values) return VMCP_E_UNAVAILABLE;
  walk.invocation.structured = std::move(*values);
  return VMCP_OK;
}

vmcp_status one_round(Services& services, Walk& walk) {
  const tools::Tool& tool = *walk.tool;
  switch (walk.call.feature) {
    case Feature::resource:
      return tool.plugin->read_resource(walk.call.name, walk.invocation);
    case Feature::prompt:
      return tool.plugin->get_prompt(walk.catalog->features.find_prompt(walk.call.name)->index,
                                     walk.invocation, walk.plugin_args);
    case Feature::completion:
      return complete_by(*tool.plugin, services, walk);
    case Feature::tool:
      break;
  }
  if (walk.host.dry_run) return tool.plugin->preview(tool.index, walk.invocation, walk.plugin_args);
  return tool.plugin->run(tool.index, walk.invocation, walk.plugin_args);
}

// The plugin wants answers from the person or the model: what it asks, and the way back, go to the client.
vmcp_status ask(Services& services, Walk& walk) {
  Invocation& invocation = walk.invocation;
  SealedRound next;
  next.round = invocation.round + 1;
  next.state = std::move(invocation.next_state);
  next.consent = walk.elicited;
  for (const auto& [key, request] : invocation.requests) next.keys.push_back(key);
  walk.answer.request_state = services.rounds.close(next, binding_of(walk));
  walk.answer.requests = std::move(invocation.requests);
  return VMCP_SUSPENDED;
}

vmcp_status all_rounds(Services& services, Walk& walk) {
  Invocation& invocation = walk.invocation;
  while (true) {
    const vmcp_status status = one_round(services, walk);
    if (status != VMCP_SUSPENDED) return status;
    if (!invocation.requests.empty() && invocation.awaited_task.empty() && !walk.host.dry_run &&
        invocation.round + 1 < services.settings.max_rounds)
      return ask(services, walk);
    if (invocation.awaited_task.empty() || invocation.round + 1 >= services.settings.max_rounds) {
      invocation.failure =
          make_error(Code::internal, "plugin " + walk.tool->plugin_label +
                                         " suspended the call without saying what it waits for");
      return VMCP_E_FAULT;
    }
    walk.task = invocation.awaited_task;
    if (walk.call.as_task) {
      walk.answer.parked = park(services, walk);
      return VMCP_SUSPENDED;
    }
    invocation.inputs.clear();
    if (std::string info = follow_task(services, walk, invocation.awaited_task); !info.empty())
      invocation.inputs["task"] = std::move(info);
    invocation.awaited_task.clear();
    if (auto locked = walk.lock.hit()) {
      invocation.failure = std::move(*locked);
      return VMCP_E_DENIED;
    }
    invocation.state = std::move(invocation.next_state);
    invocation.next_state.clear();
    invocation.texts.clear();
    invocation.blocks.clear();
    invocation.requests.clear();
    invocation.text_bytes = 0;
    invocation.structured.clear();
    ++invocation.round;
  }
}

// The host's own preview for a tool that has none: what would be acted on.
void plain_preview(Walk& walk) {
  std::string& out = walk.invocation.structured;
  out = "{\"action\":";
  append_json_string(out, walk.tool->name);
  out += ",\"targets\":[";
  for (const plugin_host::Target& target : walk.targets) {
    if (target.filter) continue;
    if (out.back() != '[') out += ',';
    out += "{\"kind\":";
    append_json_string(out, target.object.kind);
    out += ",\"id\":";
    append_json_string(out, target.object.id);
    out += ",\"name\":";
    append_json_string(out, target.object.name);
    out += '}';
  }
  out += "]}";
}

}  // namespace

Result<void> execute(Services& services, Walk& walk) {
  if (walk.host.dry_run && !walk.tool->changes()) walk.host.dry_run = false;
  prepare(services, walk);
  Invocation& invocation = walk.invocation;
  if (const auto done = by_the_host(services, walk)) return *done;
  const vmcp_status status = all_rounds(services, walk);
  if (walk.ended.load() == Walk::Ended::by_watch) walk.tool->stuck.fetch_sub(1);
  if (!invocation.violation.empty()) {
    Error error = make_error(Code::denied, "Plugin " + walk.tool->plugin_label + ": " + invocation.violation);
    error.rule = "plugin violation";
    return error;
  }
  if (walk.host.dry_run && status == VMCP_E_UNSUPPORTED) {
    plain_preview(walk);
    return {};
  }
  if (status >= 0 && !invocation.failure) return {};
  if (status == VMCP_E_UNSUPPORTED && !invocation.client_lacks.empty()) {
    Error lacks = make_error(Code::client_lacks, "The tool needs a client that supports " +
                                                     invocation.client_lacks + " and declares so.");
    lacks.rule = invocation.client_lacks;
    return lacks;
  }
  Error error = invocation.failure ? *invocation.failure
                : !invocation.last_error.empty()
                    ? make_error(invocation.last_code, invocation.last_error)
                    : make_error(plugin_host::code_of(status), "the tool failed without saying why (plugin " +
                                                                   walk.tool->plugin_label + ")");
  if (invocation.maybe_happened)
    error.text += " The change may have been made: read the state before repeating it.";
  return error;
}

}  // namespace vmcp::pipeline
