// Calls into a plugin as the host would make them, each watched: how it ends, when it ends, what it used.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin_check/observed_host.h"
#include "plugin_check/reporter.h"
#include "plugin_check/site.h"
#include "plugin_host/invocation.h"

namespace vmcp::plugin_check {

// One round: what the plugin may use, and what it did.
struct WatchedRound {
  plugin_host::Invocation invocation = {};
  std::unique_ptr<ObservedCall> handle = nullptr;
  vmcp_status status = VMCP_OK;
  bool threw = false;
};

// What a client would say to what the round asked (always yes, when it is willing); what a vCenter says of
// the task that it waits for.
void answer_inputs(const plugin_host::Invocation& done, plugin_host::Invocation& next, Site& site,
                   Random& random, bool willing = false);
// Suspended, and there is something to wait for.
bool goes_on(vmcp_status status, const plugin_host::Invocation& done);

// How one thing of the plugin is called: a tool, its preview, a resource …
struct Callable {
  std::string name;       // "tool list_vms", for the report
  std::string arguments;  // JSON or a URI, for the report
  Site* site = nullptr;
  // The invocation of a round, as the host makes it. Nothing: the host would not enter the plugin.
  std::function<std::optional<plugin_host::Invocation>()> prepare;
  std::function<vmcp_status(vmcp_call*)> run;      // foreign code
  std::function<void(const WatchedRound&)> judge;  // an answer that came with VMCP_OK and no failure
  // A status below zero; null: that is no finding by itself.
  std::function<void(const WatchedRound&)> judge_refusal = nullptr;
};

class WatchedCalls {
 public:
  // Both outlive it; so does the plugin that is called.
  WatchedCalls(Reporter& report, Random& random) : report_(report), random_(random) {}

  // All rounds of one call. Gives how many functions of the host it used.
  std::size_t call(const Callable& what);
  // … which is cancelled before it begins, or when it uses the host's function number `at` (from 1). It must
  // end in time; how is not judged.
  void cancelled(const Callable& what, std::size_t at = 0);
  // … at each function up to that number, or at some of them when they are many. Gives how many calls.
  std::size_t cancelled_everywhere(const Callable& what, std::size_t functions);
  // The same row of calls on several threads. Answers are not judged, but for what only shows when calls run
  // beside each other: crashes, exceptions. Gives how many calls.
  std::size_t at_once(const std::vector<Callable>& row);
  // What shows only when all have ended.
  void judge_handles(const std::string& where);
  // Has any of them asked anything of a vCenter?
  bool asked() const { return asked_; }

 private:
  void judge(const WatchedRound& round, const Callable& what);
  void judge_time(SteadyTime should_end);

  Reporter& report_;
  Random& random_;
  bool asked_ = false;
  std::vector<std::unique_ptr<ObservedCall>> ended_;  // kept, so that a call that the plugin kept can be seen
};

}  // namespace vmcp::plugin_check
