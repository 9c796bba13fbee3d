// vmcp/json.hpp: arguments, answers and tasks as nlohmann::json. Optional: the only header that needs it.
#pragma once

#include <vmcp/plugin.hpp>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcp {

// Keeps the order in which keys were written, so that answers read as their author meant.
using json = nlohmann::ordered_json;

// The arguments of a call. They are valid against the tool's input schema, so only what it leaves optional
// needs a fallback; a wrong type throws and becomes VMCP_E_FAULT.
class args {
 public:
  explicit args(std::string_view json_text) : value_(json::parse(json_text)) {}

  const json& value() const noexcept { return value_; }
  bool has(const char* name) const { return value_.contains(name); }

  std::string text(const char* name, std::string fallback = {}) const {
    return get(name, std::move(fallback));
  }
  std::int64_t integer(const char* name, std::int64_t fallback = 0) const { return get(name, fallback); }
  double number(const char* name, double fallback = 0) const { return get(name, fallback); }
  bool flag(const char* name, bool fallback = false) const { return get(name, fallback); }
  std::vector<std::string> texts(const char* name) const { return get(name, std::vector<std::string>{}); }

 private:
  template <class T>
  T get(const char* name, T fallback) const {
    const auto found = value_.find(name);
    return found == value_.end() ? fallback : found->template get<T>();
  }

  json value_;
};

template <>
struct arguments<json> {
  static json from(std::string_view text) { return json::parse(text); }
};
template <>
struct arguments<args> {
  static args from(std::string_view text) { return args(text); }
};

// What a person answered to ask_form(). Nothing when there is no answer yet, or none that can be read.
struct elicited {
  std::string action;  // "accept", "decline", "cancel"
  json content;        // of an accepted one: the form's values

  bool accepted() const { return action == "accept"; }
};
inline std::optional<elicited> form_answer(const call& c, std::string_view key) {
  const std::optional<std::string> text = c.answer(key);
  const json value = text ? json::parse(*text, nullptr, false) : json();
  const auto action = value.is_object() ? value.find("action") : value.end();
  if (!value.is_object() || action == value.end() || !action->is_string()) return std::nullopt;
  const auto content = value.find("content");
  const bool filled = content != value.end() && content->is_object();
  return elicited{action->get<std::string>(), filled ? *content : json::object()};
}

// What the client's model said to sample(): the text of its answer.
inline std::optional<std::string> sampled_text(const call& c, std::string_view key) {
  const std::optional<std::string> text = c.answer(key);
  const json value = text ? json::parse(*text, nullptr, false) : json();
  if (!value.is_object() || !value.contains("content")) return std::nullopt;
  const json& content = value["content"];
  const json& first = content.is_array() && !content.empty() ? content.front() : content;
  const auto said = first.is_object() ? first.find("text") : first.end();
  if (!first.is_object() || said == first.end() || !said->is_string()) return std::nullopt;
  return said->get<std::string>();
}

// Is it `argument` of the prompt or URI template `of` that is being typed?
inline bool is_about(const completing& what, std::string_view of, std::string_view argument) {
  if (what.argument != argument) return false;
  const json ref = json::parse(what.ref_json, nullptr, false);
  return ref.is_object() && (ref.value("name", "") == of || ref.value("uri", "") == of);
}

// The body of a reply; null when there is none or it is not JSON.
inline json parse(const reply& from) {
  json value = json::parse(from.json, nullptr, false);
  return value.is_discarded() ? json() : value;
}

// vCenter's own error type behind a failed reply: "ALREADY_IN_DESIRED_STATE" (Automation API) or the name of
// a vim25 fault, "InvalidPowerState". Empty when vCenter did not answer.
inline std::string error_type(const reply& from) {
  const json body = parse(from);
  if (!body.is_object()) return {};
  for (const char* key : {"error_type", "_typeName"}) {
    const auto found = body.find(key);
    if (found != body.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

// The id of a managed object reference ({"type":…,"value":"task-9021"}); empty when it is none.
inline std::string moref(const json& reference) {
  if (!reference.is_object()) return {};
  const auto value = reference.find("value");
  return value != reference.end() && value->is_string() ? value->get<std::string>() : std::string();
}

// A vCenter task as the round after wait_for() finds it.
struct task_info {
  std::string id;     // "task-9021"
  std::string state;  // vim25: "queued", "running", "success", "error"
  json result;        // of a success; null when the task has none
  std::string error;  // of a failure: why, in vCenter's words
  std::string fault;  // of a failure: the vim25 fault, "InvalidPowerState"

  bool succeeded() const { return state == "success"; }
  bool failed() const { return state == "error"; }
  bool running() const { return !succeeded() && !failed(); }  // the deadline came first; the task goes on
};

inline task_info parse_task(const json& info) {
  task_info out;
  if (!info.is_object()) return out;
  out.id = info.value("key", "");
  out.state = info.value("state", "");
  out.result = info.value("result", json());
  const json error = info.value("error", json());
  if (!error.is_object()) return out;
  const json fault = error.value("fault", json());
  if (fault.is_object()) out.fault = fault.value("_typeName", "");
  out.error = error.value("localizedMessage", "");
  if (out.error.empty() && fault.is_object()) {
    // Seen on real servers: no localizedMessage, the words sit in the fault's own messages.
    for (const json& part : fault.value("faultMessage", json::array())) {
      if (!out.error.empty()) out.error += ' ';
      if (part.is_object()) out.error += part.value("message", "");
    }
  }
  if (out.error.empty()) out.error = out.fault.empty() ? "vCenter gave no reason." : out.fault;
  return out;
}

// The task that this round was resumed for, if it was.
inline std::optional<task_info> awaited_task(const call& c) {
  const std::optional<std::string> text = c.input("task");
  if (!text) return std::nullopt;
  return parse_task(json::parse(*text));
}

// Starts a task and goes on when it has ended, written as one thing although it is two rounds:
//
//   return vmcp::run_task(c, [&] { return c.vim().call("VirtualMachine", vm, "CreateSnapshot_Task", params);
//   },
//                         [&](const vmcp::task_info& task) { return task.succeeded() ? … : …; });
//
// For tools whose first round starts the task. `start` runs in that round only, `then` in the next: nothing
// that `start` computes is there in `then` unless it is put into `state`. A start that fails ends the call
// with the reply's words. A task that the host lost sight of is given to `then` as running: it is never
// started twice.
template <class Start, class Then>
status run_task(call& c, Start start, Then then, std::string_view state = {}) {
  if (c.resumed()) return then(awaited_task(c).value_or(task_info{}));
  const reply started = start();
  if (!started) return c.fail(started);
  const std::string task = moref(parse(started));
  return task.empty() ? then(task_info{}) : c.wait_for(task, state);
}

}  // namespace vmcp
