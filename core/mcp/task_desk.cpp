#include "mcp/task_desk.h"

#include "mcp/error_map.h"

namespace vmcp::mcp {
namespace {

std::string error_json(const Fault& fault) {
  std::string out = R"({"code":)";
  append_json_int(out, fault.code);
  out += R"(,"message":)";
  append_json_string(out, fault.text);
  if (!fault.data.empty()) out += R"(,"data":)" + fault.data;
  out += '}';
  return out;
}

Error busy() {
  return make_error(Code::unavailable, "The server is busy; nothing was begun. Try again shortly.");
}

}  // namespace

Result<tasks::Task> TaskDesk::begin(const pipeline::ContextPtr& context, pipeline::ToolCall call) {
  auto task = store_.create(context->principal->identity);
  if (!task) return task.error();
  auto held = std::make_shared<Held>();
  held->id = task->id;
  held->context = context;
  // Nobody listens to progress and log lines of a task; the client may be gone for long.
  call.client_side.on_progress = nullptr;
  call.client_side.on_log = nullptr;
  call.client_side.on_close_stream = nullptr;
  call.as_task = true;
  // The connection of the request that began it means nothing to a task; tasks/cancel does.
  context->cancel = CancelFlag();
  held->call = call;
  {
    const std::lock_guard lock(mutex_);
    // What the store has forgotten, because nobody answered in time, is nobody's to go on with.
    std::erase_if(held_, [this](const auto& entry) {
      return !store_.get(entry.first, entry.second->context->principal->identity);
    });
    held_.emplace(held->id, held);
  }
  if (run(held, std::move(call))) return task;
  forget(held->id);
  store_.update(held->id, [](tasks::Task& t) {
    t.status = tasks::Status::failed;
    t.error = error_json(fault_of(busy()));
  });
  return busy();
}

bool TaskDesk::run(const std::shared_ptr<Held>& held, pipeline::ToolCall call) {
  return background_.run([this, held, call = std::move(call)](const std::shared_ptr<Exchange>& exchange) {
    pipeline_.call_tool(pipeline_.again(*held->context), call, exchange,
                        [this, held](pipeline::ToolAnswer&& answer) {
                          if (answer.requests.empty())
                            ended(held, std::move(answer));
                          else
                            ask(held, std::move(answer));
                        });
  });
}

void TaskDesk::ended(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer) {
  forget(held->id);
  // A defect is the protocol's failure; everything that the model can act on is a result.
  if (!answer.protocol && answer.is_error && answer.code == Code::internal)
    answer.protocol =
        make_error(Code::internal, answer.texts.empty() ? "Internal error" : answer.texts.front());
  store_.update(held->id, [&](tasks::Task& task) {
    task.requests.clear();
    if (answer.protocol) {
      task.status = tasks::Status::failed;
      task.error = error_json(fault_of(*answer.protocol));
    } else {
      task.status = tasks::Status::completed;
      task.result = renderer_.task_result(answer, held->context->request_id);
    }
  });
}

void TaskDesk::ask(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer) {
  std::map<std::string, std::string> requests;
  {
    const std::lock_guard lock(mutex_);
    held->state = std::move(answer.request_state);
    held->inputs.clear();
    held->keys.clear();
    for (auto& [key, request] : answer.requests) {
      const bool first_round = held->asked == 0;
      std::string unique = first_round ? key : key + "-" + std::to_string(held->asked);
      held->keys.emplace(unique, key);
      requests.emplace(std::move(unique), std::move(request));
    }
    held->asked += answer.requests.size();
  }
  store_.update(held->id, [&](tasks::Task& task) {
    task.status = tasks::Status::input_required;
    task.requests = std::move(requests);
  });
}

bool TaskDesk::update(std::string_view id, const Principal& caller,
                      std::map<std::string, std::string> inputs) {
  if (!store_.get(id, caller.identity)) return false;
  std::shared_ptr<Held> held;
  pipeline::ToolCall next;
  std::vector<std::string> answered;
  bool whole = false;
  {
    const std::lock_guard lock(mutex_);
    const auto it = held_.find(id);
    if (it == held_.end()) return true;
    held = it->second;
    for (auto& [key, value] : inputs) {
      const auto asked = held->keys.find(key);
      if (asked == held->keys.end()) continue;
      held->inputs.emplace(asked->second, std::move(value));
      held->keys.erase(asked);
      answered.push_back(key);
    }
    whole = !answered.empty() && held->keys.empty();
    if (whole) {
      next = held->call;
      next.request_state = held->state;
      next.inputs = std::move(held->inputs);
    }
  }
  if (answered.empty()) return true;
  store_.update(id, [&](tasks::Task& task) {
    for (const std::string& key : answered) task.requests.erase(key);
    if (whole) task.status = tasks::Status::working;
  });
  if (whole && !run(held, std::move(next))) {
    forget(held->id);
    store_.update(id, [](tasks::Task& task) {
      task.status = tasks::Status::failed;
      task.error = error_json(fault_of(busy()));
    });
  }
  return true;
}

bool TaskDesk::cancel(std::string_view id, const Principal& caller) {
  if (!store_.get(id, caller.identity)) return false;
  std::shared_ptr<Held> held;
  {
    const std::lock_guard lock(mutex_);
    const auto it = held_.find(id);
    if (it != held_.end()) held = it->second;
  }
  if (held) held->context->cancel.cancel();
  store_.update(id, [](tasks::Task& task) {
    task.status = tasks::Status::cancelled;
    task.requests.clear();
    task.message = "Cancelled by its owner. What had been done by then stays done.";
  });
  forget(std::string(id));
  return true;
}

void TaskDesk::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  held_.erase(id);
}

}  // namespace vmcp::mcp
