#include "plugin_check/watched_calls.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace vmcp::plugin_check {
namespace {

constexpr milliseconds kGrace{2'000}, kMostCancelling{500}, kMostAtOnce{500};
constexpr int kMaxRounds = 8;
constexpr std::size_t kAtOnce = 4, kMostCancelled = 20;

bool known(vmcp_status status) {
  return status >= VMCP_E_FAULT && status <= VMCP_SUSPENDED;
}

// What a person, a model or a client would say to an input request.
Json answer_to(const Json& request, Random& random, bool willing) {
  const std::string method = request.value("method", "");
  if (method == "roots/list") return {{"roots", Json::array()}};
  if (method == "sampling/createMessage")
    return {
        {"role", "assistant"}, {"model", "check"}, {"content", {{"type", "text"}, {"text", "an answer"}}}};
  if (!willing && random.one_in(3)) return {{"action", random.one_in(2) ? "decline" : "cancel"}};
  Json out = {{"action", "accept"}};
  const Json::json_pointer schema("/params/requestedSchema");
  if (request.contains(schema)) out["content"] = generate(request[schema], request[schema], random);
  return out;
}

// Never throws: what came out of the plugin is remembered, for whoever may report on this thread.
void enter(WatchedRound& round, const std::function<vmcp_status(vmcp_call*)>& run) {
  try {
    round.status = run(round.handle.get());
  } catch (...) {  // the plugin border, as in subject.cpp
    round.threw = true;
  }
  round.handle->ended = true;
}

std::optional<plugin_host::Invocation> after(const WatchedRound& done, const Callable& what, Random& random) {
  auto next = what.prepare();
  if (!next) return next;
  next->round = done.invocation.round + 1;
  next->state = done.invocation.next_state;
  next->sent_change = done.invocation.sent_change;
  next->created = done.invocation.created;
  answer_inputs(done.invocation, *next, *what.site, random);
  return next;
}

}  // namespace

void answer_inputs(const plugin_host::Invocation& done, plugin_host::Invocation& next, Site& site,
                   Random& random, bool willing) {
  for (const auto& [key, request] : done.requests)
    if (const auto parsed = parse_trusted_json(request))
      next.inputs[key] = dump_json(answer_to(*parsed, random, willing));
  if (done.awaited_task.empty()) return;
  if (const Json info = site.task_info(done.awaited_task); !info.is_null())
    next.inputs["task"] = dump_json(info);
}

bool goes_on(vmcp_status status, const plugin_host::Invocation& done) {
  return status == VMCP_SUSPENDED && (!done.requests.empty() || !done.awaited_task.empty());
}

std::size_t WatchedCalls::call(const Callable& what) {
  std::size_t used = 0;
  std::optional<plugin_host::Invocation> next = what.prepare();
  for (int number = 0; next; ++number) {
    report_.at(what.name, what.arguments);
    if (number == kMaxRounds) {
      report_.found("rounds-do-not-end", "it was suspended " + std::to_string(number) + " times in one call");
      return used;
    }
    WatchedRound round;
    round.invocation = std::move(*next);
    round.handle = std::make_unique<ObservedCall>(round.invocation);
    enter(round, what.run);
    judge_time(round.invocation.limits.deadline);
    judge(round, what);
    used += round.handle->used;
    asked_ = asked_ || round.invocation.upstream_calls > 0;
    const bool again = !round.threw && goes_on(round.status, round.invocation);
    if (again) next = after(round, what, random_);
    ended_.push_back(std::move(round.handle));
    if (!again) return used;
  }
  return used;
}

void WatchedCalls::cancelled(const Callable& what, std::size_t at) {
  std::size_t used = 0;
  std::optional<plugin_host::Invocation> next = what.prepare();
  for (int number = 0; next && number < kMaxRounds; ++number) {
    report_.at(what.name + (at == 0 ? ", cancelled" : ", cancelled at callback " + std::to_string(at)),
               what.arguments);
    WatchedRound round;
    round.invocation = std::move(*next);
    round.handle = std::make_unique<ObservedCall>(round.invocation);
    if (at == 0) round.invocation.limits.cancel.cancel();
    if (at > used) round.handle->cancel_at = at - used;
    const SteadyTime begun = std::chrono::steady_clock::now();
    enter(round, what.run);
    used += round.handle->used;
    const bool told = round.invocation.limits.cancel.cancelled();
    const SteadyTime told_at = at == 0 ? begun : round.handle->cancelled_at;
    judge_time(told ? told_at : round.invocation.limits.deadline);
    if (round.threw) report_.found("exception-crosses-abi", "an exception came out of it");
    const bool again = !told && !round.threw && goes_on(round.status, round.invocation);
    if (again) next = after(round, what, random_);
    ended_.push_back(std::move(round.handle));
    if (!again) return;
  }
}

std::size_t WatchedCalls::cancelled_everywhere(const Callable& what, std::size_t functions) {
  const std::size_t count = std::min(functions, kMostCancelled);
  const SteadyTime begun = std::chrono::steady_clock::now();
  for (std::size_t i = 1; i <= count; ++i) {
    if (std::chrono::steady_clock::now() - begun > kMostCancelling) return i - 1;
    cancelled(what, functions <= count ? i : i * functions / count);
  }
  return count;
}

std::size_t WatchedCalls::at_once(const std::vector<Callable>& row) {
  if (row.empty()) return 0;
  std::vector<std::vector<WatchedRound>> rounds(kAtOnce);
  for (auto& of_thread : rounds)
    for (const Callable& what : row) {
      auto invocation = what.prepare();
      if (!invocation) return 0;
      of_thread.push_back({std::move(*invocation)});
    }
  report_.at(row.front().name + ", " + std::to_string(kAtOnce) + " calls at once");
  const SteadyTime end = std::chrono::steady_clock::now() + kMostAtOnce;
  std::vector<std::thread> threads;
  for (auto& of_thread : rounds)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < row.size(); ++i) {
        WatchedRound& round = of_thread[i];
        if (i > 0 && std::chrono::steady_clock::now() > end) break;
        round.invocation.limits.deadline = std::chrono::steady_clock::now() + row[i].site->deadline();
        round.handle = std::make_unique<ObservedCall>(round.invocation);
        enter(round, row[i].run);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (auto& of_thread : rounds)
    for (WatchedRound& round : of_thread) {
      if (round.threw) report_.found("exception-crosses-abi", "an exception came out of it");
      if (round.handle) ended_.push_back(std::move(round.handle));
    }
  return kAtOnce * row.size();
}

void WatchedCalls::judge_handles(const std::string& where) {
  report_.at(where);
  for (const auto& handle : ended_) {
    if (handle->used_after_end) report_.found("call-kept", "it used a call that had ended");
    if (handle->wrong_thread) report_.found("wrong-thread", "it used a call on another thread than its own");
  }
}

void WatchedCalls::judge_time(SteadyTime should_end) {
  if (const auto late = std::chrono::steady_clock::now() - should_end; late > kGrace)
    report_.found("slow-to-cancel",
                  "it returned " + std::to_string(std::chrono::duration_cast<milliseconds>(late).count()) +
                      " ms after it was told that the call is cancelled");
}

void WatchedCalls::judge(const WatchedRound& round, const Callable& what) {
  const plugin_host::Invocation& invocation = round.invocation;
  const std::string words = invocation.failure ? invocation.failure->text : "nothing";
  if (round.threw) {
    report_.found("exception-crosses-abi", "an exception came out of it");
    return;
  }
  if (round.handle->over_limit) report_.found("output-over-limit", "the host said VMCP_E_LIMIT; " + words);
  if (!invocation.violation.empty()) report_.found("request-not-allowed", invocation.violation);
  if (!known(round.status)) {
    report_.found("unknown-status", "it returned " + std::to_string(round.status));
  } else if (round.status == VMCP_E_FAULT) {
    report_.found("tool-fault", "it returned VMCP_E_FAULT and said: " + words);
  } else if (round.status < 0) {
    if (what.judge_refusal) what.judge_refusal(round);
  } else if (round.status == VMCP_SUSPENDED) {
    if (!goes_on(round.status, invocation))
      report_.found("suspended-for-nothing", "it returned VMCP_SUSPENDED, having asked for nothing");
  } else if (round.status == VMCP_OK) {
    if (invocation.failure && !round.handle->over_limit)
      report_.found("fails-and-says-ok", "it returned VMCP_OK after it said: " + words);
    else if (!invocation.failure)
      what.judge(round);
  }
}

}  // namespace vmcp::plugin_check
