#include "plugin_check/tool_calls.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "plugin_host/plugin.h"
#include "tools/schema.h"

namespace vmcp::plugin_check {
namespace {

constexpr milliseconds kDeadline{200}, kGrace{2'000};
constexpr int kAttempts = 40, kMaxRounds = 8;
constexpr std::size_t kAtOnce = 4, kCallsAtOnce = 6;

bool known(vmcp_status status) {
  return status >= VMCP_E_FAULT && status <= VMCP_SUSPENDED;
}

inventory::Object object_of(const tools::ObjectArgument& argument, const std::string& id) {
  inventory::Object out;
  out.kind = argument.kind;
  out.vcenter = "refusing.example";
  out.id = id;
  out.name = id + "-name";
  if (argument.within.empty()) out.path = "/datacenter/" + argument.kind + "/" + out.name;
  return out;
}

// "/hosts/*" → each element's pointer; "/vm_id" → itself.
std::vector<std::string> pointers_of(const tools::ObjectArgument& argument, const Json& arguments) {
  if (!argument.pointer.ends_with("/*")) return {argument.pointer};
  const std::string list = argument.pointer.substr(0, argument.pointer.size() - 2);
  std::vector<std::string> out;
  const Json::json_pointer pointer(list);
  if (!arguments.contains(pointer) || !arguments[pointer].is_array()) return out;
  for (std::size_t i = 0; i < arguments[pointer].size(); ++i) out.push_back(list + "/" + std::to_string(i));
  return out;
}

// What a person, a model or a client would say to an input request.
Json answer_to(const Json& request, Random& random) {
  const std::string method = request.value("method", "");
  if (method == "roots/list") return {{"roots", Json::array()}};
  if (method == "sampling/createMessage")
    return {
        {"role", "assistant"}, {"model", "check"}, {"content", {{"type", "text"}, {"text", "an answer"}}}};
  if (random.one_in(3)) return {{"action", random.one_in(2) ? "decline" : "cancel"}};
  Json out = {{"action", "accept"}};
  const Json::json_pointer schema("/params/requestedSchema");
  if (request.contains(schema)) out["content"] = generate(request[schema], request[schema], random);
  return out;
}

}  // namespace

ToolCalls::ToolCalls(Subject& subject, const tools::Tool& tool, std::uint64_t seed, Reporter& report)
    : subject_(subject), tool_(tool), report_(report), random_(seed, tool.name), vcenter_(seed) {
  if (auto schema = parse_trusted_json(tool.plugin->tools()[tool.index].input_schema))
    schema_ = std::move(*schema);
}

std::size_t ToolCalls::run(std::size_t count) {
  std::size_t made = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Json arguments;
    if (!next_arguments(arguments)) continue;
    rounds(arguments, false, false);
    ++made;
    if (subject_.preview().run != nullptr && tool_.changes()) {
      rounds(arguments, true, false);
      ++made;
    }
  }
  if (made == 0) {
    report_.note("tool " + tool_.name +
                 " was not called: no arguments could be made that its input schema accepts");
    return 0;
  }
  Json arguments;
  if (next_arguments(arguments)) {
    rounds(arguments, false, true);
    ++made;
  }
  if (tool_.max_parallel != 1) {
    several_at_once(kCallsAtOnce);
    made += kAtOnce * kCallsAtOnce;
  }
  report_.at("tool " + tool_.name);
  for (const auto& call : ended_) {
    if (call->used_after_end) report_.found("call-kept", "it used a call that had ended");
    if (call->wrong_thread) report_.found("wrong-thread", "it used a call on another thread than run()'s");
  }
  return made;
}

bool ToolCalls::next_arguments(Json& out) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    out = generate(schema_, schema_, random_);
    if (out.is_object() && tool_.input->check(out)) return true;
  }
  return false;
}

plugin_host::Invocation ToolCalls::prepare(const Json& arguments, bool preview) {
  plugin_host::Invocation out;
  if (!tool_.no_upstream) {
    out.connection = &vcenter_;
    out.inventory = &vcenter_;
  }
  out.visible = [](const inventory::Object&) { return true; };
  out.allowed = tool_.changes() && !preview ? plugin_host::Allowed::change : plugin_host::Allowed::read;
  out.limits.deadline = std::chrono::steady_clock::now() + kDeadline;
  out.client_can = {"sampling", "sampling.tools", "elicitation.form", "elicitation.url", "roots", "tasks"};
  for (const tools::ObjectArgument& argument : tool_.objects)
    for (const std::string& pointer : pointers_of(argument, arguments)) {
      const Json::json_pointer at(pointer);
      if (!arguments.contains(at) || !arguments[at].is_string()) continue;
      out.targets.push_back(
          {pointer, object_of(argument, arguments[at].get<std::string>()), argument.filter});
    }
  return out;
}

// Never throws: what came out of the plugin is remembered, for whoever may report on this thread.
void ToolCalls::enter(Call& call, Function function, const std::string& arguments) {
  call.handle = std::make_unique<ObservedCall>(call.invocation);
  try {
    call.status = function(subject_.plugin(), tool_.index, call.handle.get(),
                           vmcp_str{arguments.data(), arguments.size()});
  } catch (...) {  // the plugin border, as in subject.cpp
    call.threw = true;
  }
  call.handle->ended = true;
}

void ToolCalls::rounds(const Json& arguments, bool preview, bool cancelled) {
  const std::string text = dump_json(arguments);
  const Function function = preview ? subject_.preview().run : subject_.tools().run;
  plugin_host::Invocation next = prepare(arguments, preview);
  if (cancelled) next.limits.cancel.cancel();
  for (int round = 0;; ++round) {
    report_.at((preview ? "preview of " : "tool ") + tool_.name, text);
    if (round == kMaxRounds) {
      report_.found("rounds-do-not-end", "it was suspended " + std::to_string(round) + " times in one call");
      return;
    }
    Call call;
    call.invocation = std::move(next);
    call.invocation.round = static_cast<std::uint32_t>(round);
    const SteadyTime deadline =
        cancelled ? std::chrono::steady_clock::now() : call.invocation.limits.deadline;
    enter(call, function, text);
    if (const auto late = std::chrono::steady_clock::now() - deadline; late > kGrace)
      report_.found("slow-to-cancel",
                    "it returned " + std::to_string(std::chrono::duration_cast<milliseconds>(late).count()) +
                        " ms after it was told that the call is cancelled");
    judge(call, preview);
    const bool again = call.status == VMCP_SUSPENDED && !call.threw &&
                       (!call.invocation.requests.empty() || !call.invocation.awaited_task.empty());
    if (again) {
      next = prepare(arguments, preview);
      next.state = call.invocation.next_state;
      next.sent_change = call.invocation.sent_change;
      next.created = call.invocation.created;
      answer_inputs(call, next);
    }
    ended_.push_back(std::move(call.handle));
    if (!again) return;
  }
}

void ToolCalls::answer_inputs(const Call& done, plugin_host::Invocation& next) {
  for (const auto& [key, request] : done.invocation.requests)
    if (const auto parsed = parse_trusted_json(request))
      next.inputs[key] = dump_json(answer_to(*parsed, random_));
  if (!done.invocation.awaited_task.empty())
    next.inputs["task"] = dump_json(Json{{"_typeName", "TaskInfo"},
                                         {"key", done.invocation.awaited_task},
                                         {"state", "error"},
                                         {"error", {{"localizedMessage", "The task was refused."}}}});
}

// Answers are not judged here, but for what only shows when calls run beside each other: crashes, exceptions.
void ToolCalls::several_at_once(std::size_t count) {
  std::vector<std::string> texts;
  std::vector<std::vector<Call>> calls(kAtOnce);
  for (std::size_t t = 0; t < kAtOnce; ++t) calls[t].resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Json arguments;
    if (!next_arguments(arguments)) return;
    texts.push_back(dump_json(arguments));
    for (std::size_t t = 0; t < kAtOnce; ++t) calls[t][i].invocation = prepare(arguments, false);
  }
  report_.at("tool " + tool_.name + ", " + std::to_string(kAtOnce) + " calls at once");
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kAtOnce; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < count; ++i) {
        calls[t][i].invocation.limits.deadline = std::chrono::steady_clock::now() + kDeadline;
        enter(calls[t][i], subject_.tools().run, texts[i]);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (auto& row : calls)
    for (Call& call : row) {
      if (call.threw) report_.found("exception-crosses-abi", "an exception came out of it");
      ended_.push_back(std::move(call.handle));
    }
}

void ToolCalls::judge(Call& call, bool preview) {
  const plugin_host::Invocation& invocation = call.invocation;
  const std::string words = invocation.failure ? invocation.failure->text : "nothing";
  if (call.threw) {
    report_.found("exception-crosses-abi", "an exception came out of it");
    return;
  }
  if (call.handle->over_limit) report_.found("output-over-limit", "the host said VMCP_E_LIMIT; " + words);
  if (!invocation.violation.empty()) report_.found("request-not-allowed", invocation.violation);
  if (!known(call.status)) {
    report_.found("unknown-status", "it returned " + std::to_string(call.status));
  } else if (call.status == VMCP_E_FAULT) {
    report_.found("tool-fault", "it returned VMCP_E_FAULT and said: " + words);
  } else if (call.status == VMCP_SUSPENDED) {
    if (invocation.requests.empty() && invocation.awaited_task.empty())
      report_.found("suspended-for-nothing", "it returned VMCP_SUSPENDED, having asked for nothing");
  } else if (call.status == VMCP_OK) {
    if (invocation.failure && !call.handle->over_limit)
      report_.found("fails-and-says-ok", "it returned VMCP_OK after it said: " + words);
    else if (!invocation.failure)
      judge_answer(call, preview);
  }
}

void ToolCalls::judge_answer(const Call& call, bool preview) {
  const plugin_host::Invocation& invocation = call.invocation;
  if (invocation.structured.empty()) {
    if (preview || tool_.output)
      report_.found("answer-not-as-declared",
                    "it returned VMCP_OK without the structured answer that it promises");
    else if (invocation.texts.empty() && invocation.blocks.empty())
      report_.found("answer-missing", "it returned VMCP_OK without an answer");
    return;
  }
  const auto answer = parse_trusted_json(invocation.structured);
  if (!answer || !answer->is_object()) {
    report_.found("answer-not-as-declared",
                  "its structured answer is no JSON object: " + invocation.structured.substr(0, 200));
    return;
  }
  if (preview || !tool_.output) return;
  if (const auto r = tool_.output->check(*answer); !r)
    report_.found("answer-not-as-declared", "its output schema refuses its answer: " + r.error().text);
}

}  // namespace vmcp::plugin_check
