// Tasks on the virtual clock. A task is queued for a tenth of its time, then runs; what it does happens in
// one step at its end (settle), so nobody ever sees half an effect. Guarded by VCenter's mutex.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "simulator/failure.h"
#include "simulator/model.h"

namespace vmcp::simulator {

struct Task : Entity {
  static constexpr Kind kKind = Kind::task;
  Task(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  // `name` is the method: "CreateSnapshot_Task".
  std::string description_id;  // "VirtualMachine.createSnapshot"
  std::string entity_id, entity_type, entity_name;
  std::string user;
  Millis queued = 0, start = 0, end = 0;
  bool cancelable = false, cancelled = false, settled = false;
  int chain = 0;
  std::optional<Failure> failure;  // known from the start, shown at the end
  Json result;                     // null when the method returns nothing
  std::function<void(Task&)> effect;

  enum class State { queued, running, success, error };
  State state(Millis now) const;
  int progress(Millis now) const;  // 0…100
};

const char* vim_name(Task::State state);
const char* cis_name(Task::State state);

struct TaskPlan {
  std::string method;
  std::string description_id;
  const Entity* entity = nullptr;
  std::string user;
  bool cancelable = false;
  std::optional<Failure> failure;
  std::function<void(Task&)> effect;
};

class TaskBoard {
 public:
  TaskBoard(Model& model, milliseconds task_time) : model_(model), task_time_(task_time) {}

  Task& begin(TaskPlan plan, Millis now);
  // The unfinished task of an object, or null: one at a time, as vCenter does it.
  Task* busy(const Entity& entity) const;
  // Applies, in order of their ends, all tasks that ended by `now`; forgets those that ended long ago.
  void settle(Millis now);
  // Null: cancelled. Otherwise why not.
  std::optional<Failure> cancel(Task& task, Millis now);
  // The newest last.
  const std::vector<std::string>& recent() const { return recent_; }
  std::size_t unfinished() const { return active_.size(); }

  // The next `count` tasks whose method matches the glob end in this failure.
  void inject(std::string method_glob, int count, Failure failure);
  void forget_injections() { injections_.clear(); }

 private:
  struct Injection {
    std::string glob;
    int left;
    Failure failure;
  };
  std::optional<Failure> injected(const std::string& method);

  Model& model_;
  const milliseconds task_time_;
  int next_chain_ = 5001;
  std::vector<Task*> active_;
  std::vector<std::string> recent_;
  std::vector<Injection> injections_;
};

}  // namespace vmcp::simulator
