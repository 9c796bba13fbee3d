#include "mcp/bridge.h"

#include <map>
#include <mutex>

#include "base/crypto.h"
#include "mcp/notifications.h"

namespace vmcp::mcp {
namespace {

pipeline::ToolAnswer cannot(Code code, std::string why) {
  pipeline::ToolAnswer answer;
  answer.is_error = true;
  answer.code = code;
  answer.texts.push_back(std::move(why));
  return answer;
}

// The answers of one round, until all are there.
struct Gathering {
  std::mutex mutex;
  std::map<std::string, std::string> inputs;
  std::size_t open = 0;
  bool failed = false;
};

// The question as 2025-11-25 wants it: there a page to open has an elicitationId, which 2026-07-28 dropped,
// so plugins do not give one. No notifications/elicitation/complete will name it: when a person is done with
// the page, nobody tells the host.
std::string as_asked(const std::string& request) {
  auto question = parse_trusted_json(request);
  if (!question || question->value("method", "") != "elicitation/create") return request;
  Json& params = (*question)["params"];
  if (params.value("mode", Json()) != Json("url") || params.contains("elicitationId")) return request;
  params["elicitationId"] = random_id();
  return dump_json(*question);
}

}  // namespace

// One call between its rounds.
struct Bridge::Held {
  pipeline::ContextPtr context;
  pipeline::ToolCall call;  // as it came, without callbacks' state
  SessionPtr session;
  OutletPtr outlet;
  pipeline::Done done;
};

void Bridge::call(pipeline::ContextPtr context, pipeline::ToolCall call, std::shared_ptr<Exchange> exchange,
                  SessionPtr session, OutletPtr outlet, pipeline::Done done) const {
  if (!session || !outlet || call.client_side.can.empty()) {
    pipeline_.call_tool(
        std::move(context), std::move(call), std::move(exchange),
        [done = std::move(done)](pipeline::ToolAnswer&& answer) {
          if (answer.requests.empty()) return done(std::move(answer));
          done(cannot(Code::client_lacks,
                      "The tool needs input that this client cannot be asked for. Use a client that "
                      "supports elicitation or sampling, or give the input as an argument."));
        });
    return;
  }
  auto held = std::make_shared<Held>(
      Held{std::move(context), call, std::move(session), std::move(outlet), std::move(done)});
  round(held, std::move(call), exchange);
}

void Bridge::round(const std::shared_ptr<Held>& held, pipeline::ToolCall call,
                   const std::shared_ptr<Exchange>& exchange) const {
  pipeline_.call_tool(held->context, std::move(call), exchange, [this, held](pipeline::ToolAnswer&& answer) {
    if (answer.requests.empty())
      held->done(std::move(answer));
    else
      ask(held, std::move(answer));
  });
}

void Bridge::ask(const std::shared_ptr<Held>& held, pipeline::ToolAnswer&& answer) const {
  auto gathering = std::make_shared<Gathering>();
  gathering->open = answer.requests.size();
  const auto gather = [this, held, gathering, state = std::move(answer.request_state)](const std::string& key,
                                                                                       ClientAnswer&& given) {
    bool failed = false;
    {
      const std::lock_guard lock(gathering->mutex);
      gathering->failed = gathering->failed || !given.ok;
      if (given.ok) gathering->inputs.emplace(key, std::move(given.json));
      if (--gathering->open > 0) return;
      failed = gathering->failed;
    }
    if (failed)
      return held->done(
          cannot(Code::cancelled, "The client did not answer what the tool asked; nothing was done."));
    pipeline::ToolCall next = held->call;
    next.request_state = state;
    next.inputs = std::move(gathering->inputs);
    held->context = pipeline_.again(*held->context);
    const bool taken =
        background_.run([this, held, next = std::move(next)](const std::shared_ptr<Exchange>& exchange) {
          round(held, next, exchange);
        });
    if (!taken)
      held->done(cannot(Code::unavailable, "The server is busy; nothing was done. Try again shortly."));
  };
  for (const auto& [key, request] : answer.requests) {
    const std::string id =
        held->session->ask([gather, key = key](ClientAnswer&& given) { gather(key, std::move(given)); });
    if (id.empty())
      gather(key, ClientAnswer{});
    else
      held->outlet->notify(client_request(id, as_asked(request)));
  }
}

}  // namespace vmcp::mcp
