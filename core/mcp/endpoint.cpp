#include "mcp/endpoint.h"

#include <exception>

#include "mcp/batch.h"
#include "mcp/dispatch.h"
#include "mcp/header_check.h"
#include "mcp/render.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxBatch = 50;

void send(Inbound& inbound, const std::string& request_id, Reply&& reply) {
  Answer answer;
  answer.status = reply.status;
  if (!reply.body.empty()) answer.content_type = "application/json";
  answer.body = std::move(reply.body);
  answer.headers = std::move(reply.headers);
  // Lets a person find the line of the audit, whatever the answer was.
  answer.headers.emplace_back("X-Request-Id", request_id);
  inbound.answer(std::move(answer));
}

pipeline::Ingress ingress_of(const Inbound& inbound) {
  pipeline::Ingress ingress;
  ingress.peer = inbound.peer();
  ingress.authorization = inbound.header("authorization");
  ingress.authorization_count = inbound.header_count("authorization");
  ingress.traceparent = inbound.header("traceparent");
  return ingress;
}

}  // namespace

struct Endpoint::Impl {
  Impl(Settings s, pipeline::Pipeline& p, Log& l)
      : settings(std::move(s)),
        pipeline(p),
        log(l),
        renderer(settings),
        dispatcher(settings, pipeline, renderer, log) {}

  void serve(const InboundPtr& inbound, const pipeline::ContextPtr& context);
  void batch(Json& messages, const InboundPtr& inbound, const Carrier& carrier, const ReplyTo& reply);
  // Empty status: the request may be parsed.
  bool transport_fault(const Inbound& inbound, Fault& fault) const;

  const Settings settings;
  pipeline::Pipeline& pipeline;
  Log& log;
  const Renderer renderer;
  const Dispatcher dispatcher;
};

// Only what can be said without looking at the body.
bool Endpoint::Impl::transport_fault(const Inbound& inbound, Fault& fault) const {
  if (inbound.method() != "POST") {
    fault =
        fault_of(Refusal::http_method, true,
                 "Method not allowed: send each JSON-RPC message as a POST; this server keeps no session and "
                 "opens no stream.");
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

void Endpoint::Impl::serve(const InboundPtr& inbound, const pipeline::ContextPtr& context) {
  const ReplyTo reply = [inbound, context](Reply&& r) { send(*inbound, context->request_id, std::move(r)); };
  const pipeline::Ingress ingress = ingress_of(*inbound);
  if (auto r = pipeline.admit(*context, ingress); !r) {
    Fault fault = admission_fault(r.error(), ingress.authorization.data() != nullptr, settings);
    reply(Reply{fault.status, renderer.error(nullptr, fault), std::move(fault.headers)});
    return;
  }
  const Carrier carrier{*inbound, inbound, context};
  Fault fault;
  if (transport_fault(*inbound, fault)) return dispatcher.refuse(carrier, reply, nullptr, std::move(fault));
  JsonLimits limits;
  limits.max_bytes = settings.max_body_bytes;
  auto body = parse_json(inbound->body(), limits);
  if (!body)
    return dispatcher.refuse(carrier, reply, nullptr,
                             fault_of(Refusal::not_json, true, "Parse error: " + body.error().text));
  if (body->is_array()) return batch(*body, inbound, carrier, reply);
  dispatcher.message(*body, carrier, reply);
}

void Endpoint::Impl::batch(Json& messages, const InboundPtr& inbound, const Carrier& carrier,
                           const ReplyTo& reply) {
  Version version = Version::v2025_03_26;
  const std::string_view header = inbound->header("mcp-protocol-version");
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
    const Carrier part{*inbound, group->exchange(i), std::move(context), true};
    dispatcher.message(messages[i], part, [group, i](Reply&& r) { group->put(i, std::move(r.body)); });
  }
}

Endpoint::Endpoint(Settings settings, pipeline::Pipeline& pipeline, Log& log)
    : impl_(std::make_unique<Impl>(std::move(settings), pipeline, log)) {}

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

}  // namespace vmcp::mcp
