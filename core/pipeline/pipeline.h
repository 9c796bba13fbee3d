// The walk of one call: one visible list of steps (steps.cpp), each with the reason for its position.
// mcp/ drives it: open → admit → (mcp parses) → list_tools / call_tool / throttle_method. A refusal anywhere
// is audited here; an error inside a rule is a refusal; nothing absent ever permits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/exchange.h"
#include "base/json.h"
#include "base/peer_certificate.h"
#include "base/principal.h"
#include "base/result.h"
#include "tools/tool.h"

namespace vmcp::pipeline {

// What the transport knows of a request before anything was parsed. Borrowed for the call.
struct Ingress {
  std::string_view peer;           // address without port
  std::string_view authorization;  // raw header value; data()==nullptr = absent
  std::size_t authorization_count = 0;
  std::string_view traceparent;                  // W3C trace context from the header; may be empty
  const PeerCertificate* certificate = nullptr;  // verified; null when none was shown
};

// One request's fixed facts. Opened first, so that 401, 403 and 429 are recorded too. Lives until the last
// worker for the request is done, which may be after the answer.
struct Context {
  std::string request_id;
  std::string traceparent;  // W3C trace context of the caller, valid or empty
  std::string trace_id;     // 32 hex out of it
  std::string peer;
  std::string method;  // MCP method, set by mcp/ after parsing
  SteadyTime started;
  CancelFlag cancel;       // set on disconnect (modern) or notifications/cancelled
  PrincipalPtr principal;  // null until admitted
};
using ContextPtr = std::shared_ptr<Context>;

// What the client of one request can be asked, and how it hears of the call before its answer. Callbacks may
// be null: then nobody listens. They are called on whatever thread runs the call, not after Done; must not
// block or throw.
struct ClientSide {
  std::set<std::string, std::less<>> can;  // names as in plugin_host/invocation.h
  std::function<void(double done, double total, std::string_view note)> on_progress;
  std::function<void(std::string_view level, std::string_view logger, std::string_view data_json)> on_log;
  std::function<void()> on_close_stream;
};

// What is asked for. All go through the same steps; what a step has nothing to do with, it lets pass.
enum class Feature {
  tool,        // name: the tool's
  resource,    // name: the URI
  prompt,      // name: the prompt's; arguments: texts
  completion,  // name: "prompt/NAME" or "resource/TEMPLATE"; arguments: {"name","value","context":{…}}
};

struct ToolCall {
  std::string name;
  Json arguments = Json::object();
  std::string client;  // "name/version" for the log only, never for decisions
  ClientSide client_side = {};
  Feature feature = Feature::tool;
  bool as_task = false;  // nobody waits: it may take Settings::task_deadline
  // A later round: what an earlier answer of the very same call gave out, and what has been answered since.
  std::string request_state = {};
  std::map<std::string, std::string> inputs = {};  // key → JSON text
  // Goes on where a walk of this very call left off (ToolAnswer::parked), now that its vCenter task has
  // ended; inputs["task"] is then the TaskInfo, missing when nothing can be learned of it.
  std::string parked = {};
};

// What a tools/call came to. Exactly one of: `protocol` (a JSON-RPC error), a result, or requests for input.
struct ToolAnswer {
  std::optional<Error> protocol;  // Code::unknown_tool, malformed (a state that is not ours), client_lacks
  bool is_error = false;
  std::vector<std::string> texts;   // text blocks; a result has some, or `blocks`
  std::vector<std::string> blocks;  // content blocks, each a JSON object, instead of texts
  // Not empty: the call waits for input (key → MCP input request, as JSON text). Nothing else is set then but
  // request_state, with which the same call goes on.
  std::map<std::string, std::string> requests;
  std::string request_state;
  // Not empty: a call as a task waits for a vCenter task, and no thread waits with it. What it needs to go
  // on, also in another process (JSON); see Pipeline::follow. Nothing else is set then.
  std::string parked;
  std::string structured;      // JSON object text, spliced in as it is; empty = none. Never set with is_error
  Code code = Code::internal;  // of an is_error answer
  std::string rule;            // rule that refused, for _meta
  std::string scope;           // of Code::denied: the role that may; empty when none may
  std::int64_t retry_after_ms = 0;
  Quota quota = {};  // of the limit that refused
};

// Called exactly once, on any thread (the watch thread when the call overran); must not block or throw.
using Done = std::function<void(ToolAnswer&&)>;

struct ToolPage {
  std::vector<tools::ToolPtr> tools;
  std::string next_cursor;  // empty = last page
};

enum class List { resources, templates, prompts };
struct Page {
  std::vector<std::string_view> items;  // entries as JSON; they live as long as `owner` or the pipeline
  std::shared_ptr<const void> owner = {};
  std::string next_cursor;
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;

  // The parsed message names its parent trace (params._meta.traceparent), which goes before the header's;
  // ignored when it is not valid.
  virtual void trace(Context& context, std::string_view traceparent) = 0;
  // Step 1. [any]
  virtual ContextPtr open(const Ingress& ingress) = 0;
  // A later round of a call whose first round was answered by waiting: the same request, a deadline of its
  // own. [any]
  virtual ContextPtr again(const Context& context) = 0;
  // Steps 2 and 3: address limit, authentication. Sets context.principal. Refusals are audited.
  virtual Result<void> admit(Context& context, const Ingress& ingress) = 0;
  // Audits a refusal that a caller of the pipeline decided: step "transport" (Origin, Host) or "parse".
  virtual void refused(const Context& context, std::string_view step, const Error& error) = 0;
  // Step 5 for every method but tools/call (which charges the tool's cost itself). Refusals are audited.
  virtual Result<void> throttle_method(Context& context) = 0;
  // Step 6 as a filter: the tools that this caller may use, in stable order, from `cursor` (empty = first
  // page). Code::malformed for a cursor that is not ours.
  virtual Result<ToolPage> list_tools(const Context& context, std::string_view cursor,
                                      std::size_t page_size) = 0;
  // The same for the other lists.
  virtual Result<Page> list(const Context& context, List what, std::string_view cursor,
                            std::size_t page_size) = 0;
  // May this caller read that resource, as far as its role says? Whoever may not is told of no change to it
  // either. A no is audited here, as a refusal at "authorise".
  virtual bool may_read(const Context& context, std::string_view uri) = 0;
  // False: a lock stands against this caller, who is then told of nothing either, also on streams that are
  // open. [any]
  virtual bool may_hear(const Principal& /*caller*/) const { return true; }
  // Calls `changed`, which must not block, after each change of that resource for as long as the handle is
  // held. Null: nobody looks at it here, whoever offers it tells of its changes. Code::unavailable: too many
  // are looked at.
  virtual Result<std::shared_ptr<void>> watch(const Context& context, const std::string& uri,
                                              std::function<void()> changed) = 0;
  // Audits what was done beside the steps: a task's owner answers it or cancels it.
  virtual void record(const Context& context, std::string_view subject, bool ok) = 0;
  // The tool as this caller may see it, or null (unknown and invisible look the same).
  virtual tools::ToolPtr find_tool(const Context& context, std::string_view name) = 0;
  // Calls `ended` once, on a thread of its own and maybe after long, when the vCenter task that a parked call
  // waits for has ended, with its TaskInfo; empty when nothing can be learned of it. Must not block. False:
  // it cannot be followed.
  virtual bool follow(const std::string& parked, std::function<void(const std::string& task_info)> ended) = 0;
  // What a context is made of, for another process. There the caller is looked up anew: whoever is not
  // configured any more, or has another role, may do nothing.
  virtual std::string save(const Context& context) = 0;
  virtual ContextPtr load(const std::string& saved) = 0;  // null: not what save() made
  // Steps 5 to 14, for every feature: a refusal of one that is no tool is always `protocol`. May run the tool
  // on this thread and block (it asks `exchange` first). `exchange` outlives the call through the shared
  // pointer.
  virtual void call_tool(ContextPtr context, ToolCall call, std::shared_ptr<Exchange> exchange,
                         Done done) = 0;
};

}  // namespace vmcp::pipeline
