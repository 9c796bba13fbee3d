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

constexpr std::size_t kMaxSavedBytes = 16u << 20;

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
  fail(held->id, busy());
  return busy();
}

void TaskDesk::fail(const std::string& id, const Error& error) {
  forget(id);
  store_.update(id, [&](tasks::Task& task) {
    task.status = tasks::Status::failed;
    task.requests.clear();
    task.error = error_json(fault_of(error));
  });
  store_.clear(id);
}

bool TaskDesk::run(const std::shared_ptr<Held>& held, pipeline::ToolCall call) {
  return background_.run([this, held, call = std::move(call)](const std::shared_ptr<Exchange>& exchange) {
    pipeline_.call_tool(pipeline_.again(*held->context), call, exchange,
                        [this, held](pipeline::ToolAnswer&& answer) {
                          if (!answer.parked.empty())
                            park(held, std::move(answer.parked));
                          else if (!answer.requests.empty())
                            ask(held, std::move(answer));
                          else
                            ended(held, std::move(answer));
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
    task.saved.clear();
  });
  store_.clear(held->id);  // of one that was cancelled meanwhile
}

// Nothing waits but a note on disk and the watcher's list.
void TaskDesk::park(const std::shared_ptr<Held>& held, std::string parked) {
  std::string saved;
  {
    const std::lock_guard lock(mutex_);
    held->parked = std::move(parked);
    // What vCenter has begun is looked at to its end, for the OUTCOME, also if the task was cancelled by now.
    held->context = pipeline_.again(*held->context);
    held->context->cancel = CancelFlag();
    saved = text_of(*held);
  }
  store_.update(held->id, [&](tasks::Task& task) { task.saved = std::move(saved); });
  follow(held);
}

void TaskDesk::follow(const std::shared_ptr<Held>& held) {
  const bool followed = pipeline_.follow(held->parked, [this, held](const std::string& task_info) {
    pipeline::ToolCall next = held->call;
    next.parked = held->parked;
    if (!task_info.empty()) next.inputs["task"] = task_info;
    // Too busy: the watcher looks again, and then comes here again.
    if (!run(held, std::move(next))) follow(held);
  });
  if (followed) return;
  // Too many are followed, or that vCenter is no longer configured: the walk says so and writes its OUTCOME.
  pipeline::ToolCall next = held->call;
  next.parked = held->parked;
  if (!run(held, std::move(next))) fail(held->id, busy());
}

std::string TaskDesk::text_of(const Held& held) {
  Json out{{"context", pipeline_.save(*held.context)},
           {"name", held.call.name},
           {"arguments", dump_json(held.call.arguments)},
           {"client", held.call.client},
           {"can", held.call.client_side.can},
           {"state", held.state},
           {"keys", held.keys},
           {"asked", held.asked},
           {"parked", held.parked}};
  return dump_json(out);
}

std::shared_ptr<TaskDesk::Held> TaskDesk::held_of(const tasks::Task& task) {
  const auto json = parse_trusted_json(task.saved, kMaxSavedBytes);
  if (!json || !json->is_object()) return nullptr;
  try {
    auto held = std::make_shared<Held>();
    held->id = task.id;
    held->context = pipeline_.load(json->at("context").get<std::string>());
    held->call.name = json->at("name").get<std::string>();
    auto arguments = parse_trusted_json(json->at("arguments").get<std::string>(), kMaxSavedBytes);
    if (!held->context || !arguments) return nullptr;
    held->call.arguments = std::move(*arguments);
    held->call.client = json->at("client").get<std::string>();
    for (const Json& name : json->at("can")) held->call.client_side.can.insert(name.get<std::string>());
    held->call.as_task = true;
    held->state = json->at("state").get<std::string>();
    held->keys = json->at("keys").get<std::map<std::string, std::string>>();
    held->asked = json->at("asked").get<std::size_t>();
    held->parked = json->at("parked").get<std::string>();
    return held;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

std::vector<std::string> TaskDesk::go_on() {
  std::vector<std::string> owing;
  for (const tasks::Task& task : store_.to_go_on()) {
    const auto held = held_of(task);
    if (!held) {
      fail(task.id, make_error(Code::internal,
                               "What was noted down of this task cannot be read. Read the state "
                               "before repeating it."));
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      held_.emplace(held->id, held);
    }
    if (held->parked.empty()) continue;  // its last round had an outcome: a question
    owing.push_back(held->context->request_id);
    follow(held);
  }
  return owing;
}

void TaskDesk::ask(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer) {
  std::map<std::string, std::string> requests;
  std::string saved;
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
    held->parked.clear();
    saved = text_of(*held);
  }
  store_.update(held->id, [&](tasks::Task& task) {
    task.status = tasks::Status::input_required;
    task.requests = std::move(requests);
    task.saved = std::move(saved);
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
    // From here on it acts: should the process end now, nobody may do it a second time.
    if (whole) task.status = tasks::Status::working, task.saved.clear();
  });
  if (whole && !run(held, std::move(next))) fail(held->id, busy());
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
  bool parked = false;
  if (held) {
    const std::lock_guard lock(mutex_);
    parked = !held->parked.empty();
    if (!parked) held->context->cancel.cancel();
  }
  store_.update(id, [](tasks::Task& task) {
    task.status = tasks::Status::cancelled;
    task.requests.clear();
    task.message = "Cancelled by its owner. What had been done by then stays done.";
  });
  if (!parked) {
    forget(std::string(id));
    store_.clear(id);
  }
  return true;
}

void TaskDesk::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  held_.erase(id);
}

}  // namespace vmcp::mcp
