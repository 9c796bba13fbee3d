// One tools/call on its way through the steps. Made per call, handed from step to step, ended exactly once.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "locks/locks.h"
#include "pipeline/pipeline.h"
#include "pipeline/services.h"
#include "plugin_host/invocation.h"
#include "policy/policy.h"
#include "throttle/limiter.h"
#include "tools/host_arguments.h"

namespace vmcp::pipeline {

struct Walk {
  // From mcp/.
  ContextPtr context;
  ToolCall call;
  std::shared_ptr<Exchange> exchange;
  Done done;
  tools::CatalogPtr catalog;  // what was offered when it began; stays so until it has ended
  policy::PolicyPtr policy;   // what held when it began
  locks::Guard lock;          // asked at 6, 8, 10 and 11; one that is set meanwhile stops the call

  // What the steps found out, in their order.
  SteadyTime deadline;
  std::string args_text;                      // the arguments as they came, for the audit (which masks them)
  std::string shadow_limit;                   // 5, 8: the limit that would have refused (shadow mode)
  tools::ToolPtr tool;                        // 6; of another feature: who answers for it
  tools::HostArguments host;                  // 7
  vcenter::Connection* connection = nullptr;  // 7; null for a tool without upstream
  bool blocking = false;                      // 7: this worker has leave to block
  std::vector<plugin_host::Target> targets;   // 7
  std::string plugin_args;                    // 7: what the plugin receives
  policy::Consent consent = policy::Consent::none;  // 8: who must agree
  std::string approval;  // 9: the binding of the one that was given; empty: none is needed
  // 7: what the person at the client was asked to agree to, and the answer as it came; empty: nothing.
  std::string consent_asked, consent_answer;
  std::string elicited;                // 7, 9: the binding that the person at the client agreed to
  std::string approver, approval_id;   // 10: whose it was
  std::string consent_rule;            // 8: the rule that asks for it; empty: the tool
  throttle::Slots::Permit permit;      // 10
  bool intent_written = false;         // 11
  plugin_host::Invocation invocation;  // 12
  std::string task;                    // 12: the vCenter task that a change became, if it did
  bool task_running = false;           // 12: … and it had not ended when the answer had to leave
  ToolAnswer answer;                   // 12, 13

  // Of a call that goes on after it was parked.
  std::int64_t begun_ms = 0;     // when it began, since 1970; 0: it was not parked
  bool may_still_change = true;  // its caller's role, now
  bool task_lost = false;        // nothing can be learned of its vCenter task any more

  // Who answered. The first to leave `open` owns `done` and the record; nobody goes back.
  enum class Ended { open, by_steps, by_watch };
  std::atomic<Ended> ended{Ended::open};
  bool end(Ended by) {
    Ended expected = Ended::open;
    return ended.compare_exchange_strong(expected, by);
  }
};

// Ends the walk: writes the OUTCOME (or REFUSED) and answers. The first caller wins; a later one only records
// that the call came back late. On the worker that ran the steps.
void finish(Services& services, Walk& walk);
void refuse(Services& services, Walk& walk, std::string_view step, const Error& error);
// On the watch thread, when the deadline has passed: answers; must not block.
void overrun(Services& services, Walk& walk);

// What a sealed round of this call is bound to: the caller and the whole call, so that what was given out for
// one serves no other.
std::string binding_of(const Walk& walk);

// Who answers for what is asked; null when nobody does. [any thread]
tools::ToolPtr find_subject(const tools::Catalog& catalog, Feature feature, std::string_view name);

// An is_error answer in words for the model.
ToolAnswer error_answer(const Error& error);

// The audit line of this walk, with everything known so far. Borrows from `walk` and `targets`.
audit::Record record_of(const Walk& walk, std::vector<std::string>& targets);

}  // namespace vmcp::pipeline
