#include <algorithm>
#include <array>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostReleases = 128;
constexpr std::size_t kLongestRelease = 64;
// The VI/JSON releases, newest first; a server knows its own and all before it.
constexpr std::array kReleases = {"8.0.3.1", "8.0.3.0", "8.0.2.0", "8.0.1.0", "8.0.0.2", "8.0.0.1",
                                  "8.0.0.0", "7.0.3.2", "7.0.3.1", "7.0.3.0", "7.0.2.1", "7.0.2.0",
                                  "7.0.1.1", "7.0.1.0", "7.0.0.2", "7.0.0.0"};

Json localizable(std::string id, std::string text) {
  return {{"id", std::move(id)}, {"default_message", std::move(text)}, {"args", Json::array()}};
}

Json task_json(const Task& task, Millis now) {
  const Task::State state = task.state(now);
  Json out = {{"description", localizable(task.description_id + ".label", task.name)},
              {"service", "com.vmware.vcenter." + task.entity_type},
              {"operation", task.name},
              {"target", {{"type", task.entity_type}, {"id", task.entity_id}}},
              {"status", cis_name(state)},
              {"cancelable", task.cancelable},
              {"start_time", iso_time(task.start)},
              {"user", task.user}};
  if (state == Task::State::running) {
    out["progress"] = {{"total", 100},
                       {"completed", task.progress(now)},
                       {"message", localizable(task.description_id + ".progress", "In progress.")}};
  }
  if (task.settled) out["end_time"] = iso_time(task.end);
  if (task.failure) out["error"] = task.failure->message;
  return out;
}

// "task-88:0a1b…" names the vCenter after the colon; both spellings are understood.
Task* find_task(Call& call) {
  const std::string& id = call.ids[0];
  return call.world.model.find_as<Task>(std::string_view(id).substr(0, id.find(':')));
}

}  // namespace

std::vector<std::string> served_releases(const std::string& own) {
  std::vector<std::string> out;
  const auto first = std::find(kReleases.begin(), kReleases.end(), own);
  if (first == kReleases.end()) out.push_back(own);
  for (auto it = first == kReleases.end() ? kReleases.begin() : first; it != kReleases.end(); ++it) {
    if (own >= *it) out.emplace_back(*it);
  }
  return out;
}

Answer system_hello(Call& call) {
  if (call.world.settings.release < "8.0.2.0") {
    return Answer::error("NOT_FOUND", {"com.vmware.vapi.rest.httpNotFound", "Not found.", {}});
  }
  for (const auto& [key, value] : call.body.items()) {
    if (key != "api_releases") return unexpected_input(key);
  }
  const Json asked = call.body.value("api_releases", Json::array());
  if (!asked.is_array() || asked.empty() || asked.size() > kMostReleases) {
    return invalid_argument_answer("'api_releases' must list 1 to 128 releases.", {"api_releases"});
  }
  const std::vector<std::string> served = served_releases(call.world.settings.release);
  for (const Json& release : asked) {
    if (!release.is_string() || release.get_ref<const std::string&>().size() > kLongestRelease) {
      return invalid_argument_answer("Each release is a string of at most 64 characters.", {"api_releases"});
    }
  }
  for (const Json& release : asked) {
    const auto& wanted = release.get_ref<const std::string&>();
    if (std::find(served.begin(), served.end(), wanted) != served.end())
      return Answer::of({{"api_release", wanted}});
  }
  return Answer::of({{"api_release", ""}});
}

Answer appliance_version(Call& call) {
  if (!call.user().appliance_admin) {
    return Answer::error("UNAUTHORIZED", {"com.vmware.vapi.endpoint.authorization.denied",
                                          "Only members of SystemConfiguration.Administrators may do this.",
                                          {}});
  }
  const std::string& release = call.world.settings.release;
  return Answer::of({{"version", release.substr(0, release.rfind('.')) + ".00100"},
                     {"product", "VMware vCenter Server"},
                     {"build", "22617221"},
                     {"type", "vCenter Server with an embedded Platform Services Controller"},
                     {"summary", "Simulated vCenter Server"},
                     {"releasedate", "September 21, 2023"},
                     {"install_time", "2024-01-15T09:30:00.000Z"}});
}

Answer appliance_health(Call& call) {
  if (!call.user().appliance_admin) return appliance_version(call);
  return Answer::of("green");
}

Answer appliance_uptime(Call& call) {
  if (!call.user().appliance_admin) return appliance_version(call);
  return Answer::of(static_cast<double>(call.world.now - call.world.started) / 1000.0 + 86'400.0 * 30);
}

Answer task_get(Call& call) {
  const Task* task = find_task(call);
  if (task == nullptr) return not_found("Task", "task", call.ids[0]);
  return Answer::of(task_json(*task, call.world.now));
}

Answer task_list(Call& call) {
  const Json filter = call.body.value("filter_spec", Json::object());
  Json out = Json::object();
  for (const Json& id : filter.is_object() ? filter.value("tasks", Json::array()) : Json::array()) {
    if (!id.is_string()) return invalid_argument_answer("Field 'tasks' must list strings.", {"tasks"});
    const auto& text = id.get_ref<const std::string&>();
    const Task* task = call.world.model.find_as<Task>(std::string_view(text).substr(0, text.find(':')));
    if (task != nullptr) out[text] = task_json(*task, call.world.now);
  }
  return Answer::of(std::move(out));
}

Answer task_cancel(Call& call) {
  Task* task = find_task(call);
  if (task == nullptr) return not_found("Task", "task", call.ids[0]);
  if (!task->cancelable && !task->settled) {
    return Answer::error("UNSUPPORTED",
                         {"com.vmware.vapi.task.cancel.unsupported", "The task cannot be cancelled.", {}});
  }
  if (const auto failure = call.world.tasks.cancel(*task, call.world.now)) return answer_for(*failure);
  return {};
}

}  // namespace vmcp::simulator
