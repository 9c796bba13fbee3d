// Rounds for clients of the handshake era. A plugin that waits for input ends its round; here the questions
// go to the client as requests on the call's stream, and when all are answered the call goes on with the next
// round.
#pragma once

#include <memory>

#include "mcp/endpoint.h"
#include "mcp/outlet.h"
#include "mcp/sessions.h"
#include "pipeline/background.h"
#include "pipeline/pipeline.h"

namespace vmcp::mcp {

class Bridge {
 public:
  // Both outlive the bridge.
  Bridge(pipeline::Pipeline& pipeline, pipeline::Background& background)
      : pipeline_(pipeline), background_(background) {}

  // Runs the call; `done` gets an answer that waits for nothing. `session` and `outlet` may be null: then
  // whatever asks for input is answered with an error that says so.
  void call(pipeline::ContextPtr context, pipeline::ToolCall call, std::shared_ptr<Exchange> exchange,
            SessionPtr session, OutletPtr outlet, pipeline::Done done) const;

 private:
  struct Held;
  void round(const std::shared_ptr<Held>& held, pipeline::ToolCall call,
             const std::shared_ptr<Exchange>& exchange) const;
  void ask(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer) const;

  pipeline::Pipeline& pipeline_;
  pipeline::Background& background_;
};

}  // namespace vmcp::mcp
