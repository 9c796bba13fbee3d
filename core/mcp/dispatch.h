// One JSON-RPC message from its parsed value to its reply: era, validation in the protocol's order, method.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp/endpoint.h"
#include "mcp/era.h"
#include "mcp/error_map.h"
#include "mcp/message.h"
#include "mcp/render.h"

namespace vmcp::mcp {

// What goes back for one message. An empty body: accepted, nothing to say.
struct Reply {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};
// Called at least once per message, on any thread; the first call counts. Must not block or throw.
using ReplyTo = std::function<void(Reply&&)>;

// What a message came with.
struct Carrier {
  const Inbound& inbound;              // borrowed until message() returns
  std::shared_ptr<Exchange> exchange;  // of this message: the inbound itself, or a batch's part of it
  pipeline::ContextPtr context;
  bool batched = false;
};

// Stateless; everything it refers to outlives it. [any thread]
class Dispatcher {
 public:
  Dispatcher(const Settings& settings, pipeline::Pipeline& pipeline, const Renderer& renderer, Log& log)
      : settings_(settings), pipeline_(pipeline), renderer_(renderer), log_(log) {}

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

  void choose(const Message& message, const Carrier& carrier, const ReplyTo& reply) const;
  void accept(const Message& message, const Carrier& carrier, const ReplyTo& reply,
              const EraChoice& era) const;
  bool modern_envelope(const Work& work) const;
  void run(const Work& work) const;
  void list_tools(const Work& work) const;
  void call_tool(const Work& work) const;
  void initialize(const Work& work) const;
  bool throttled(const Work& work) const;
  void refuse(const Work& work, Refusal refusal, std::string text) const;

  const Settings& settings_;
  pipeline::Pipeline& pipeline_;
  const Renderer& renderer_;
  Log& log_;
};

}  // namespace vmcp::mcp
