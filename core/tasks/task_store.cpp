#include "tasks/task_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/crypto.h"
#include "base/json.h"
#include "store/small_file.h"

namespace vmcp::tasks {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"working", "input_required", "completed", "failed",
                                                    "cancelled"};
constexpr const char* kEnding = ".task.json";

std::string text_of(const Task& task) {
  return dump_json(Json{{"id", task.id},
                        {"owner", task.owner},
                        {"status", status_name(task.status)},
                        {"created_ms", task.created_ms},
                        {"updated_ms", task.updated_ms},
                        {"ttl_ms", task.ttl_ms},
                        {"message", task.message},
                        {"result", task.result},
                        {"error", task.error},
                        {"requests", task.requests},
                        {"saved", task.saved}});
}

std::optional<Task> task_of(const std::string& text, std::size_t max_bytes) {
  const auto json = parse_trusted_json(text, max_bytes);
  if (!json || !json->is_object()) return std::nullopt;
  try {
    Task task;
    task.id = json->at("id").get<std::string>();
    task.owner = json->at("owner").get<std::string>();
    const std::string status = json->at("status").get<std::string>();
    for (std::size_t i = 0; i < kNames.size(); ++i)
      if (kNames[i] == status) task.status = static_cast<Status>(i);
    task.created_ms = json->at("created_ms").get<std::int64_t>();
    task.updated_ms = json->at("updated_ms").get<std::int64_t>();
    task.ttl_ms = json->at("ttl_ms").get<std::int64_t>();
    task.message = json->at("message").get<std::string>();
    task.result = json->at("result").get<std::string>();
    task.error = json->at("error").get<std::string>();
    task.requests = json->at("requests").get<std::map<std::string, std::string>>();
    task.saved = json->value("saved", "");
    return task;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string_view status_name(Status status) {
  return kNames[static_cast<std::size_t>(status)];
}

Result<std::unique_ptr<TaskStore>> TaskStore::open(std::string directory, StoreLimits limits,
                                                   const Clock& clock, Log& log) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return make_error(Code::unavailable, "The directory for tasks cannot be made: " + directory +
                                             ". Check STATE_DIR and its permissions.");
  std::unique_ptr<TaskStore> store(new TaskStore(std::move(directory), limits, clock, log));
  store->read_all();
  return store;
}

std::int64_t TaskStore::now_ms() const {
  return std::chrono::duration_cast<milliseconds>(clock_.wall().time_since_epoch()).count();
}

void TaskStore::read_all() {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(kEnding)) continue;
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    auto task = task_of(text.str(), 2 * limits_.max_result_bytes);
    if (!task || task->id + kEnding != entry.path().filename().string()) {
      log_.warning("a file of the tasks is unreadable and was left alone", {{"file", path}});
      continue;
    }
    if (!is_final(task->status) && task->saved.empty()) {
      task->status = Status::failed;
      task->requests.clear();
      task->updated_ms = now_ms();
      task->error =
          R"({"code":-32603,"message":"The server was restarted while this task was running. What it had begun )"
          R"(may have been done: read the state before repeating it."})";
      write(*task);
    }
    tasks_.emplace(task->id, std::move(*task));
  }
  forget_old();
}

void TaskStore::forget_old() {
  const std::int64_t now = now_ms();
  if (now - looked_ms_ < 1'000 && now >= looked_ms_) return;
  looked_ms_ = now;
  std::erase_if(tasks_, [&](const auto& entry) {
    const Task& task = entry.second;
    // One that waits for an answer would wait for ever; one that works ends by its deadline.
    const bool over = now - task.created_ms > task.ttl_ms && task.status != Status::working;
    if (over) ::unlink((directory_ + "/" + entry.first + kEnding).c_str());
    return over;
  });
}

bool TaskStore::write(const Task& task) const {
  return store::replace_file(directory_ + "/" + task.id + kEnding, text_of(task)).ok();
}

Result<Task> TaskStore::create(const std::string& owner) {
  Task task;
  task.id = random_id();
  task.owner = owner;
  task.created_ms = task.updated_ms = now_ms();
  task.ttl_ms = limits_.ttl.count();
  const std::lock_guard lock(mutex_);
  forget_old();
  std::size_t own = 0;
  for (const auto& [id, other] : tasks_) own += other.owner == owner ? 1 : 0;
  if (tasks_.size() >= limits_.max_tasks || own >= limits_.max_per_owner)
    return make_error(Code::unavailable,
                      "Too many tasks are kept; wait until older ones have been forgotten.");
  if (!write(task))
    return make_error(Code::unavailable,
                      "The task cannot be written to disk, so nothing was begun. Tell the operator.");
  tasks_.emplace(task.id, task);
  return task;
}

std::optional<Task> TaskStore::get(std::string_view id, std::string_view owner) {
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto it = tasks_.find(id);
  if (it == tasks_.end() || it->second.owner != owner) return std::nullopt;
  return it->second;
}

std::vector<Task> TaskStore::to_go_on() const {
  const std::lock_guard lock(mutex_);
  std::vector<Task> out;
  for (const auto& [id, task] : tasks_)
    if (!task.saved.empty()) out.push_back(task);
  return out;
}

void TaskStore::clear(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto it = tasks_.find(id);
  if (it == tasks_.end() || it->second.saved.empty()) return;
  it->second.saved.clear();
  if (!write(it->second)) log_.error("a task could not be written", {{"task", it->second.id}});
}

bool TaskStore::update(std::string_view id, const std::function<void(Task&)>& change) {
  Task now;
  {
    const std::lock_guard lock(mutex_);
    const auto it = tasks_.find(id);
    if (it == tasks_.end() || is_final(it->second.status)) return false;
    change(it->second);
    it->second.updated_ms = now_ms();
    if (it->second.result.size() > limits_.max_result_bytes) {
      it->second.status = Status::failed;
      it->second.result.clear();
      it->second.error = R"({"code":-32603,"message":"The result is too large to be kept. Ask for less."})";
    }
    if (!write(it->second)) log_.error("a task could not be written", {{"task", it->second.id}});
    now = it->second;
  }
  if (heard_) heard_(now);
  return true;
}

}  // namespace vmcp::tasks
