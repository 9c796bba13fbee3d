#include <algorithm>
#include <thread>

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
  const CallLimits limits{walk.invocation.limits.deadline - milliseconds(200), walk.context->cancel};
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
  invocation.limited_view = services.policy.limited(*walk.context->principal);
  const bool may_change = walk.tool->changes() && !walk.host.dry_run && walk.intent_written;
  invocation.allowed = may_change ? plugin_host::Allowed::change : plugin_host::Allowed::read;
  invocation.targets = walk.targets;
  invocation.limits = {walk.deadline - kAnswerMargin, walk.context->cancel};
  invocation.verbose = walk.host.verbose;
  invocation.on_accepted = [&services, &walk](const std::string& task) {
    walk.task = task;
    std::vector<std::string> targets;
    audit::Record record = record_of(walk, targets);
    record.event = audit::Event::accepted;
    record.ok = true;
    services.audit.buffered(record);
  };
}

vmcp_status one_round(Walk& walk) {
  const tools::Tool& tool = *walk.tool;
  if (walk.host.dry_run) return tool.plugin->preview(tool.index, walk.invocation, walk.plugin_args);
  return tool.plugin->run(tool.index, walk.invocation, walk.plugin_args);
}

vmcp_status all_rounds(Services& services, Walk& walk) {
  Invocation& invocation = walk.invocation;
  while (true) {
    const vmcp_status status = one_round(walk);
    if (status != VMCP_SUSPENDED) return status;
    if (invocation.awaited_task.empty() || invocation.round + 1 >= services.settings.max_rounds) {
      invocation.failure =
          make_error(Code::internal, "plugin " + walk.tool->plugin_label +
                                         " suspended the call without saying what it waits for");
      return VMCP_E_FAULT;
    }
    walk.task = invocation.awaited_task;
    invocation.inputs.clear();
    if (std::string info = follow_task(services, walk, invocation.awaited_task); !info.empty())
      invocation.inputs["task"] = std::move(info);
    invocation.awaited_task.clear();
    invocation.state = std::move(invocation.next_state);
    invocation.next_state.clear();
    invocation.texts.clear();
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
