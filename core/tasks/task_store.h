// Tasks of MCP's tasks extension: durable before anyone hears of them, each its owner's alone, forgotten
// after their time. One file a task in state_dir, replaced whole at each change.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace vmcp::tasks {

enum class Status { working, input_required, completed, failed, cancelled };
std::string_view status_name(Status status);  // as MCP writes it
inline bool is_final(Status status) {
  return status == Status::completed || status == Status::failed || status == Status::cancelled;
}

struct Task {
  std::string id;     // 128 random bits: unguessable
  std::string owner;  // identity
  Status status = Status::working;
  std::int64_t created_ms = 0, updated_ms = 0;  // since 1970, UTC
  std::int64_t ttl_ms = 0;                      // kept that long after its creation
  std::string message;                          // for a person; may be empty
  std::string result;                           // JSON, when completed
  std::string error;                            // JSON-RPC error object, when failed
  std::map<std::string, std::string> requests;  // outstanding input requests, as JSON
  // What whoever works on it needs to go on after a restart; empty: nothing can go on. Kept until clear(),
  // also past the end: a cancelled task may still owe something.
  std::string saved;
};

struct StoreLimits {
  std::size_t max_tasks = 10'000;
  std::size_t max_per_owner = 1'000;
  milliseconds ttl{3'600'000};
  std::size_t max_result_bytes = 8u << 20;
};

class TaskStore {
 public:
  // Reads what is there. A task that was being worked on when the server ended, and left nothing to go on
  // with, is failed: what became of the work is for its owner to look at. `clock` and `log` outlive the
  // store.
  static Result<std::unique_ptr<TaskStore>> open(std::string directory, StoreLimits limits,
                                                 const Clock& clock, Log& log);

  // On disk when it returns. Code::unavailable when it cannot be written or there are too many.
  Result<Task> create(const std::string& owner);
  // Nothing for an unknown id, another's task and one whose time is over: these look the same.
  std::optional<Task> get(std::string_view id, std::string_view owner);
  // Applies `change` to a task that is not final yet, then writes it. False: it was final, or is not there.
  // What cannot be written is logged and stays in memory: the work itself is not undone by a full disk.
  bool update(std::string_view id, const std::function<void(Task&)>& change);
  // Those with something saved. After open() only.
  std::vector<Task> to_go_on() const;
  // Nothing is to go on any more.
  void clear(std::string_view id);
  // Called after each change with the task as it is now. [any thread] Set before the first task.
  void on_change(std::function<void(const Task&)> heard) { heard_ = std::move(heard); }

 private:
  TaskStore(std::string directory, StoreLimits limits, const Clock& clock, Log& log)
      : directory_(std::move(directory)), limits_(limits), clock_(clock), log_(log) {}
  std::int64_t now_ms() const;
  void read_all();
  // With the lock held, at most once a second: a full table must not cost every look.
  void forget_old();
  bool write(const Task& task) const;

  const std::string directory_;
  const StoreLimits limits_;
  const Clock& clock_;
  Log& log_;
  std::function<void(const Task&)> heard_;
  mutable std::mutex mutex_;
  std::map<std::string, Task, std::less<>> tasks_;
  std::int64_t looked_ms_ = 0;
};

}  // namespace vmcp::tasks
