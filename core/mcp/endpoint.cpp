#include "mcp/endpoint.h"

#include <exception>

#include "mcp/authorization.h"
#include "mcp/batch.h"
#include "mcp/dispatch.h"
#include "mcp/header_check.h"
#include "mcp/notifications.h"
#include "mcp/render.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxBatch = 50;

pipeline::Ingress ingress_of(const Inbound& inbound) {
  pipeline::Ingress ingress;
  ingress.peer = inbound.peer();
  ingress.authorization = inbound.header("authorization");
  ingress.authorization_count = inbound.header_count("authorization");
  ingress.traceparent = inbound.header("traceparent");
  ingress.certificate = inbound.certificate();
  return ingress;
}

}  // namespace

struct Endpoint::Impl {
  Impl(Settings s, pipeline::Pipeline& p, pipeline::Background& background,
       pipeline::Background& task_background, tasks::TaskStore& store, Log& l)
      : settings(std::move(s)),
        pipeline(p),
        log(l),
        renderer(settings),
        sessions(settings.max_sessions, settings.session_idle),
        subscriptions(settings.max_subscriptions),
        bridge(pipeline, background),
        tasks(store, pipeline, task_background, renderer),
        dispatcher(Desk{settings, pipeline, renderer, sessions, subscriptions, bridge, tasks, log}) {}

  void serve(const InboundPtr& inbound, const pipeline::ContextPtr& context);
  void batch(Json& messages, const InboundPtr& inbound, const Carrier& carrier, const ReplyTo& reply);
  void get(const InboundPtr& inbound, const Carrier& carrier, const ReplyTo& reply);
  // Null and `fault` set: the request names a session that this caller does not have.
  bool find_session(const Inbound& inbound, const pipeline::Context& context, SessionPtr& session,
                    Fault& fault);
  // A session does not know its caller's role: a lock on that ends its calls, not what it is told.
  bool hears(const Session& session) const { return pipeline.may_hear(Principal{session.identity, ""}); }
  // True: only with what can be said without looking at the body.
  bool transport_fault(const Inbound& inbound, Fault& fault) const;

  const Settings settings;
  pipeline::Pipeline& pipeline;
  Log& log;
  const Renderer renderer;
  Sessions sessions;
  Subscriptions subscriptions;
  const Bridge bridge;
  TaskDesk tasks;
  const Dispatcher dispatcher;
};

bool Endpoint::Impl::transport_fault(const Inbound& inbound, Fault& fault) const {
  if (inbound.method() != "POST") {
    fault = fault_of(
        Refusal::http_method, true,
        "Method not allowed: send each JSON-RPC message as a POST. GET and DELETE belong to a session; "
        "this request names none.");
  } else if (inbound.header_count("content-type") != 1 || !is_json_content(inbound.header("content-type"))) {
    fault =
        fault_of(Refusal::content_type, true, "Unsupported media type: send Content-Type: application/json.");
  } else if (inbound.header_count("accept") == 1 && !accepts_json(inbound.header("accept"))) {
    fault = fault_of(Refusal::not_acceptable, true,
                     "Not acceptable: send Accept: application/json, text/event-stream.");
  } else {
    return false;
  }
  return true;
}

bool Endpoint::Impl::find_session(const Inbound& inbound, const pipeline::Context& context,
                                  SessionPtr& session, Fault& fault) {
  const std::string_view id = inbound.header("mcp-session-id");
  if (id.data() == nullptr) return true;
  session = sessions.find(id, context.principal->identity);
  if (session) return true;
  // 404 sends the client back to the handshake.
  fault =
      Fault{404, -32001, "Session not found: it has ended, or is not yours. Send initialize again.", {}, {}};
  return false;
}

void Endpoint::Impl::serve(const InboundPtr& inbound, const pipeline::ContextPtr& context) {
  const auto outlet = std::make_shared<Outlet>(inbound, context->request_id);
  const ReplyTo reply = [outlet](Reply&& r) { outlet->reply(std::move(r)); };
  const pipeline::Ingress ingress = ingress_of(*inbound);
  if (auto r = pipeline.admit(*context, ingress); !r) {
    Fault fault = admission_fault(r.error());
    if (fault.status == 401)
      fault.headers.emplace_back("WWW-Authenticate",
                                 unauthenticated_challenge(settings, inbound->header("host"),
                                                           ingress.authorization.data() != nullptr));
    reply(Reply{fault.status, renderer.error(nullptr, fault), std::move(fault.headers)});
    return;
  }
  Carrier carrier{*inbound, inbound, context, outlet, inbound, nullptr, false};
  Fault fault;
  const bool of_session = inbound->method() == "GET" || inbound->method() == "DELETE";
  if (of_session && inbound->header("mcp-session-id").data() != nullptr) return get(inbound, carrier, reply);
  if (transport_fault(*inbound, fault)) return dispatcher.refuse(carrier, reply, nullptr, std::move(fault));
  JsonLimits limits;
  limits.max_bytes = settings.max_body_bytes;
  auto body = parse_json(inbound->body(), limits);
  if (!body)
    return dispatcher.refuse(carrier, reply, nullptr,
                             fault_of(Refusal::not_json, true, "Parse error: " + body.error().text));
  // A modern message is whole by itself; whatever session it drags along is not looked at.
  const bool modern = body->is_object() && body->contains("params") &&
                      meta_of(&(*body)["params"]) != nullptr &&
                      meta_of(&(*body)["params"])->contains(kMetaVersion);
  if (!modern) {
    if (!find_session(*inbound, *context, carrier.session, fault))
      return dispatcher.refuse(carrier, reply, nullptr, std::move(fault));
    if (carrier.session) outlet->use(carrier.session, settings.resumable_answers);
  }
  if (body->is_array()) return batch(*body, inbound, carrier, reply);
  dispatcher.message(*body, carrier, reply);
}

// GET opens the session's stream or resumes one; DELETE ends the session.
void Endpoint::Impl::get(const InboundPtr& inbound, const Carrier& carrier, const ReplyTo& reply) {
  Fault fault;
  SessionPtr session;
  carrier.context->method = inbound->method();
  if (auto r = pipeline.throttle_method(*carrier.context); !r) {
    fault = fault_of(r.error());
    return reply(Reply{fault.status, renderer.error(nullptr, fault), std::move(fault.headers)});
  }
  if (!find_session(*inbound, *carrier.context, session, fault))
    return dispatcher.refuse(carrier, reply, nullptr, std::move(fault));
  if (inbound->method() == "DELETE") {
    sessions.close(session->id);
    return reply(Reply{204, {}, {}});
  }
  if (!accepts_event_stream(inbound->header("accept")))
    return dispatcher.refuse(
        carrier, reply, nullptr,
        fault_of(Refusal::not_acceptable, false, "Not acceptable: send Accept: text/event-stream."));
  std::uint64_t number = 0, after = 0;
  SessionStreamPtr stream;
  const std::string_view last = inbound->header("last-event-id");
  if (last.data() != nullptr) {
    stream = SessionStream::read_event_id(last, number, after) ? session->stream(number) : nullptr;
    if (!stream)
      return dispatcher.refuse(
          carrier, reply, nullptr,
          fault_of(Refusal::not_request, false,
                   "Bad request: Last-Event-ID names no stream of this session that is kept."));
  } else {
    stream = session->general();
    after = stream->delivered();
    if (stream->attached()) {
      fault = Fault{409, -32000, "Conflict: this session's stream is open already; close it first.", {}, {}};
      return dispatcher.refuse(carrier, reply, nullptr, std::move(fault));
    }
  }
  StreamHead head;
  head.headers.emplace_back("X-Request-Id", carrier.context->request_id);
  if (MessageStreamPtr wire = inbound->open_stream(std::move(head))) stream->attach(std::move(wire), after);
}

void Endpoint::Impl::batch(Json& messages, const InboundPtr& inbound, const Carrier& carrier,
                           const ReplyTo& reply) {
  Version version = Version::v2025_03_26;
  const std::string_view header = inbound->header("mcp-protocol-version");
  // A session knows its revision also where its client does not repeat it.
  if (header.data() == nullptr && carrier.session) version = carrier.session->version;
  const bool legacy = header.data() == nullptr || legacy_version(header, version);
  if (!legacy || version != Version::v2025_03_26 || messages.empty() || messages.size() > kMaxBatch)
    return dispatcher.refuse(
        carrier, reply, nullptr,
        fault_of(Refusal::not_request, !legacy,
                 "Invalid request: the body must be one JSON-RPC object; only revision 2025-03-26 "
                 "has batches, of 1 to " +
                     std::to_string(kMaxBatch) + " messages."));
  const Fault never_started = fault_of(make_error(
      Code::timeout, "The batch ran out of time before this message was started; it did nothing."));
  std::vector<std::string> late;
  for (Json& value : messages) {
    Message message;
    bool bad_params = false;
    const bool request =
        read_message(value, message, bad_params).empty() && message.kind == Message::Kind::request;
    late.push_back(request ? renderer.error(message.id, never_started) : "");
  }
  auto group = std::make_shared<Batch>(inbound, std::move(late), [reply](std::vector<std::string>&& bodies) {
    std::string out;
    for (const std::string& body : bodies) {
      if (body.empty()) continue;
      out += out.empty() ? '[' : ',';
      out += body;
    }
    if (!out.empty()) out += ']';
    const int status = out.empty() ? 202 : 200;
    reply(Reply{status, std::move(out), {}});
  });
  for (std::size_t i = 0; i < messages.size() && !group->expired(); ++i) {
    // A context each: their calls must not share a line of the audit.
    auto context = std::make_shared<pipeline::Context>(*carrier.context);
    context->request_id += "-" + std::to_string(i + 1);
    context->cancel = CancelFlag();
    const Carrier part{*inbound, group->exchange(i), std::move(context), nullptr, nullptr, carrier.session,
                       true};
    dispatcher.message(messages[i], part, [group, i](Reply&& r) { group->put(i, std::move(r.body)); });
  }
}

Endpoint::Endpoint(Settings settings, pipeline::Pipeline& pipeline, pipeline::Background& background,
                   pipeline::Background& task_background, tasks::TaskStore& tasks, Log& log)
    : impl_(std::make_unique<Impl>(std::move(settings), pipeline, background, task_background, tasks, log)) {
  // Only who owns a task could name it when subscribing.
  tasks.on_change([impl = impl_.get()](const tasks::Task& task) {
    impl->subscriptions.publish([&](const Interest& i) { return i.task_ids.contains(task.id); },
                                "notifications/tasks", Json::parse(impl->renderer.task_state(task)));
  });
}

Endpoint::~Endpoint() = default;

void Endpoint::handle(const InboundPtr& inbound) {
  pipeline::ContextPtr context;
  try {
    context = impl_->pipeline.open(ingress_of(*inbound));
    impl_->serve(inbound, context);
  } catch (const std::exception& e) {
    impl_->log.error("a request failed",
                     {{"request_id", context ? context->request_id : ""}, {"detail", e.what()}});
    Answer answer;
    answer.status = 500;
    answer.content_type = "application/json";
    answer.body = R"({"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"}})";
    if (context) answer.headers.emplace_back("X-Request-Id", context->request_id);
    inbound->answer(std::move(answer));
  }
}

void Endpoint::changed(const Change& change) {
  const auto tell = [&](bool Interest::*wanted, const char* method) {
    impl_->subscriptions.publish([wanted](const Interest& i) { return i.*wanted; }, method, Json::object());
    const std::string message = notification(method, {});
    impl_->sessions.each([&](Session& session) {
      if (impl_->hears(session)) session.notify(message);
    });
  };
  switch (change.kind) {
    case Change::Kind::tools:
      return tell(&Interest::tools, "notifications/tools/list_changed");
    case Change::Kind::prompts:
      return tell(&Interest::prompts, "notifications/prompts/list_changed");
    case Change::Kind::resources:
      return tell(&Interest::resources, "notifications/resources/list_changed");
    case Change::Kind::updated:
      break;
  }
  const Json params{{"uri", change.uri}};
  impl_->subscriptions.publish([&](const Interest& i) { return i.uris.contains(change.uri); },
                               "notifications/resources/updated", params);
  const std::string message = notification("notifications/resources/updated", dump_json(params));
  impl_->sessions.each([&](Session& session) {
    if (session.subscribed(change.uri) && impl_->hears(session)) session.notify(message);
  });
}

std::string Endpoint::protected_resource(std::string_view host) const {
  return protected_resource_json(impl_->settings, host);
}

std::vector<std::string> Endpoint::go_on() {
  return impl_->tasks.go_on();
}

void Endpoint::drain() {
  impl_->subscriptions.end();
  impl_->sessions.close_all();
}

}  // namespace vmcp::mcp
