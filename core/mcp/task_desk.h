// Calls that run as tasks: begun in the background, asked about with tasks/get, answered with tasks/update.
// The tool sees no difference.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "mcp/render.h"
#include "pipeline/background.h"
#include "pipeline/pipeline.h"
#include "tasks/task_store.h"

namespace vmcp::mcp {

class TaskDesk {
 public:
  // All outlive the desk.
  TaskDesk(tasks::TaskStore& store, pipeline::Pipeline& pipeline, pipeline::Background& background,
           const Renderer& renderer)
      : store_(store), pipeline_(pipeline), background_(background), renderer_(renderer) {}

  // The task is on disk when this returns, and its first round on the way.
  Result<tasks::Task> begin(const pipeline::ContextPtr& context, pipeline::ToolCall call);
  std::optional<tasks::Task> get(std::string_view id, const Principal& caller) {
    return store_.get(id, caller.identity);
  }
  // Answers to what the task asks; unknown and answered keys are ignored. False: no such task.
  bool update(std::string_view id, const Principal& caller, std::map<std::string, std::string> inputs);
  // What an earlier process left unfinished goes on. Before the first request. Gives the request ids of the
  // calls that owe an OUTCOME.
  std::vector<std::string> go_on();
  // Cooperative; a task that has ended stays as it is. False: no such task.
  bool cancel(std::string_view id, const Principal& caller);

 private:
  // One call between its rounds; guarded by mutex_.
  struct Held {
    std::string id;
    pipeline::ContextPtr context;
    pipeline::ToolCall call;                    // as it came
    std::string state;                          // of the round that waits
    std::map<std::string, std::string> keys;    // outstanding: key of the task → key of the tool
    std::map<std::string, std::string> inputs;  // answered so far in this round, by the tool's key
    std::size_t asked = 0;                      // in all, so that no key is used twice
    std::string parked;                         // waits for a vCenter task since then; empty: it does not
  };
  std::string text_of(const Held& held);
  std::shared_ptr<Held> held_of(const tasks::Task& task);  // null: unreadable
  bool run(const std::shared_ptr<Held>& held, pipeline::ToolCall call);
  void ended(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer);
  void ask(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer);
  void park(const std::shared_ptr<Held>& held, std::string parked);
  void follow(const std::shared_ptr<Held>& held);
  void fail(const std::string& id, const Error& error);
  void forget(const std::string& id);

  tasks::TaskStore& store_;
  pipeline::Pipeline& pipeline_;
  pipeline::Background& background_;
  const Renderer& renderer_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Held>, std::less<>> held_;
};

}  // namespace vmcp::mcp
