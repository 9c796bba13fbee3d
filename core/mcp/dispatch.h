// One JSON-RPC message from its parsed value to its reply: era, validation in the protocol's order, method.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "mcp/authorization.h"
#include "mcp/bridge.h"
#include "mcp/endpoint.h"
#include "mcp/era.h"
#include "mcp/error_map.h"
#include "mcp/message.h"
#include "mcp/outlet.h"
#include "mcp/render.h"
#include "mcp/sessions.h"
#include "mcp/subscriptions.h"
#include "mcp/task_desk.h"

namespace vmcp::mcp {

// Called at least once per message, on any thread; the first call counts. Must not block or throw.
using ReplyTo = std::function<void(Reply&&)>;

// What a message came with.
struct Carrier {
  const Inbound& inbound;              // borrowed until message() returns
  std::shared_ptr<Exchange> exchange;  // of this message: the inbound itself, or a batch's part of it
  pipeline::ContextPtr context;
  OutletPtr outlet;    // null in a batch: nothing can be said before the replies
  InboundPtr owned;    // the inbound again, for a stream that outlives message(); null in a batch
  SessionPtr session;  // of the handshake era; null when the request names none
  bool batched = false;
};

// What the methods work with besides the pipeline. Outlives the dispatcher.
struct Desk {
  const Settings& settings;
  pipeline::Pipeline& pipeline;
  const Renderer& renderer;
  Sessions& sessions;
  Subscriptions& subscriptions;
  const Bridge& bridge;
  TaskDesk& tasks;
  Log& log;
};

// Stateless; everything it refers to outlives it. [any thread]
class Dispatcher {
 public:
  explicit Dispatcher(const Desk& desk) : desk_(desk) {}

  // `value` is taken apart. Replies before it returns, or a tool call replies later. Throws nothing.
  void message(Json& value, const Carrier& carrier, const ReplyTo& reply) const;
  // A refusal of the protocol: audited, worded, sent.
  void refuse(const Carrier& carrier, const ReplyTo& reply, const Json* id, Fault fault) const;

 private:
  struct Work {
    const Message& message;
    const Carrier& carrier;
    const ReplyTo& reply;
    Version version;
  };

  // dispatch.cpp
  void choose(const Message& message, const Carrier& carrier, const ReplyTo& reply) const;
  void accept(const Message& message, const Carrier& carrier, const ReplyTo& reply,
              const EraChoice& era) const;
  bool modern_envelope(const Work& work) const;
  void run(const Work& work) const;
  bool throttled(const Work& work) const;
  void refuse(const Work& work, Refusal refusal, std::string text) const;
  void refuse(const Work& work, const Error& error) const;
  void answer(const Work& work, Fault fault) const;  // of what was audited elsewhere
  WiderToken wider_token(const Work& work) const;

  // methods_session.cpp
  void initialize(const Work& work) const;
  void set_log_level(const Work& work) const;
  void listen(const Work& work) const;
  void subscribe(const Work& work, bool on) const;
  void notified(const Message& message, const Carrier& carrier) const;
  bool answered(Json& value, const Carrier& carrier) const;

  // methods_features.cpp
  bool run_feature(const Work& work) const;  // false: no such method
  void list_features(const Work& work, pipeline::List what) const;
  void read_resource(const Work& work) const;
  void get_prompt(const Work& work) const;
  void complete(const Work& work) const;
  void ask_feature(const Work& work, pipeline::ToolCall call) const;
  bool read_cursor(const Work& work, std::string_view& cursor) const;

  // methods_tasks.cpp
  bool run_as_task(const Work& work, pipeline::ToolCall& call) const;  // false: it is no task
  bool run_task_method(const Work& work) const;                        // false: no such method

  // methods_tools.cpp
  void list_tools(const Work& work) const;
  void call_tool(const Work& work) const;
  bool read_call(const Work& work, pipeline::ToolCall& call) const;
  bool client_side(const Work& work, pipeline::ClientSide& side) const;
  bool read_rounds(const Work& work, pipeline::ToolCall& call) const;

  Desk desk_;
};

// The string member of params, or null.
const std::string* string_member(const Json* params, std::string_view key);

}  // namespace vmcp::mcp
