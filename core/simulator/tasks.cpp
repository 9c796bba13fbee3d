#include "simulator/tasks.h"

#include <algorithm>

#include "base/glob.h"

namespace vmcp::simulator {
namespace {

constexpr Millis kKeep = 10 * 60'000;      // a finished task's id is good for ten minutes
constexpr std::size_t kMostKept = 10'000;  // and no longer than this many others

}  // namespace

Task::State Task::state(Millis now) const {
  if (settled) return failure ? State::error : State::success;
  return now < start ? State::queued : State::running;
}

int Task::progress(Millis now) const {
  if (settled) return 100;
  if (now <= start || end <= start) return 0;
  return static_cast<int>(std::min<Millis>(99, (now - start) * 100 / (end - start)));
}

const char* vim_name(Task::State state) {
  switch (state) {
    case Task::State::queued:
      return "queued";
    case Task::State::running:
      return "running";
    case Task::State::success:
      return "success";
    case Task::State::error:
      return "error";
  }
  return "";
}

const char* cis_name(Task::State state) {
  switch (state) {
    case Task::State::queued:
      return "PENDING";
    case Task::State::running:
      return "RUNNING";
    case Task::State::success:
      return "SUCCEEDED";
    case Task::State::error:
      return "FAILED";
  }
  return "";
}

Task& TaskBoard::begin(TaskPlan plan, Millis now) {
  Task& task = model_.add<Task>("task-" + std::to_string(model_.next_number()), std::move(plan.method));
  task.description_id = std::move(plan.description_id);
  task.entity_id = plan.entity->id;
  task.entity_type = type_name(plan.entity->kind);
  task.entity_name = plan.entity->name;
  task.user = std::move(plan.user);
  task.cancelable = plan.cancelable;
  task.failure = std::move(plan.failure);
  if (!task.failure) task.failure = injected(task.name);
  task.effect = std::move(plan.effect);
  task.chain = next_chain_++;
  task.queued = now;
  task.start = now + task_time_.count() / 10;
  task.end = now + task_time_.count();
  active_.push_back(&task);
  recent_.push_back(task.id);
  settle(now);  // a task that takes no time is done when its caller hears of it
  return task;
}

Task* TaskBoard::busy(const Entity& entity) const {
  for (Task* task : active_) {
    if (task->entity_id == entity.id) return task;
  }
  return nullptr;
}

void TaskBoard::settle(Millis now) {
  while (true) {
    Task* due = nullptr;
    for (Task* task : active_) {
      if (task->end <= now && (due == nullptr || task->end < due->end)) due = task;
    }
    if (due == nullptr) break;
    active_.erase(std::find(active_.begin(), active_.end(), due));
    due->settled = true;
    const auto effect = std::move(due->effect);
    due->effect = nullptr;
    if (!due->failure && effect) effect(*due);
  }
  std::size_t gone = 0;
  while (gone < recent_.size()) {
    const Task* task = model_.find_as<Task>(recent_[gone]);
    const bool old = task == nullptr || (task->settled && task->end + kKeep < now);
    const bool crowded = recent_.size() - gone > kMostKept && task != nullptr && task->settled;
    if (!old && !crowded) break;
    if (task != nullptr) model_.remove_task(recent_[gone]);
    ++gone;
  }
  recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(gone));
}

std::optional<Failure> TaskBoard::cancel(Task& task, Millis now) {
  if (task.settled || !task.cancelable) {
    return simple_failure("InvalidState", "The task is finished or cannot be cancelled.");
  }
  task.cancelled = true;
  task.failure = simple_failure("RequestCanceled", "The task was canceled by a user.");
  task.end = now;
  task.start = std::min(task.start, now);
  settle(now);
  return std::nullopt;
}

void TaskBoard::inject(std::string method_glob, int count, Failure failure) {
  injections_.push_back({std::move(method_glob), count, std::move(failure)});
}

std::optional<Failure> TaskBoard::injected(const std::string& method) {
  for (auto it = injections_.begin(); it != injections_.end(); ++it) {
    if (!glob_match(it->glob, method)) continue;
    Failure failure = it->failure;
    if (--it->left <= 0) injections_.erase(it);
    return failure;
  }
  return std::nullopt;
}

}  // namespace vmcp::simulator
