#include "mcp/dispatch.h"

#include <exception>

#include "mcp/header_check.h"

namespace vmcp::mcp {
namespace {

Fault server_fault() {
  return fault_of(
      make_error(Code::internal, "Internal error. The operator finds it in the log by the request id."));
}

}  // namespace

const std::string* string_member(const Json* params, std::string_view key) {
  if (params == nullptr) return nullptr;
  const auto it = params->find(key);
  return it == params->end() ? nullptr : it->get_ptr<const std::string*>();
}

void Dispatcher::refuse(const Carrier& carrier, const ReplyTo& reply, const Json* id, Fault fault) const {
  desk_.pipeline.refused(*carrier.context, "parse", make_error(Code::malformed, fault.text));
  reply(Reply{fault.status, desk_.renderer.error(id, fault), std::move(fault.headers)});
}

void Dispatcher::refuse(const Work& work, Refusal refusal, std::string text) const {
  refuse(work.carrier, work.reply, work.message.id,
         fault_of(refusal, is_modern(work.version), std::move(text)));
}

void Dispatcher::refuse(const Work& work, const Error& error) const {
  desk_.pipeline.refused(*work.carrier.context, "parse", error);
  answer(work, fault_of(error));
}

void Dispatcher::answer(const Work& work, Fault fault) const {
  if (!is_modern(work.version) && fault.status == 400) fault.status = 200;
  work.reply(Reply{fault.status, desk_.renderer.error(work.message.id, fault), std::move(fault.headers)});
}

void Dispatcher::message(Json& value, const Carrier& carrier, const ReplyTo& reply) const {
  Message message;
  try {
    bool bad_params = false;
    std::string why = read_message(value, message, bad_params);
    carrier.context->method.assign(message.method);
    if (!why.empty()) {
      const Refusal refusal = bad_params ? Refusal::envelope : Refusal::not_request;
      refuse(carrier, reply, message.id, fault_of(refusal, true, "Invalid request: " + why + "."));
      return;
    }
    if (message.kind == Message::Kind::response && answered(value, carrier)) return reply(Reply{202, {}, {}});
    choose(message, carrier, reply);
  } catch (const std::exception& e) {
    desk_.log.error("a message failed", {{"request_id", carrier.context->request_id}, {"detail", e.what()}});
    const Fault fault = server_fault();
    reply(Reply{fault.status, desk_.renderer.error(message.id, fault), {}});
  }
}

void Dispatcher::choose(const Message& message, const Carrier& carrier, const ReplyTo& reply) const {
  const std::string_view header = carrier.inbound.header("mcp-protocol-version");
  EraChoice era = choose_era(message.method, message.params, header);
  if (era.claim == Claim::legacy && header.data() == nullptr && carrier.session)
    era.version = carrier.session->version;
  const Work work{message, carrier, reply, era.version};
  if (carrier.batched && (era.claim != Claim::legacy || message.method == "initialize")) {
    refuse(carrier, reply, message.id,
           fault_of(Refusal::not_request, false, "Invalid request: this message may not stand in a batch."));
    return;
  }
  if (message.kind != Message::Kind::request) {
    accept(message, carrier, reply, era);
    return;
  }
  if (era.claim == Claim::modern_no_meta) {
    refuse(carrier, reply, message.id,
           fault_of(Refusal::envelope, true,
                    "Invalid params: params._meta must carry io.modelcontextprotocol/protocolVersion and "
                    "io.modelcontextprotocol/clientCapabilities on every request of this revision."));
    return;
  }
  if (era.claim == Claim::modern) {
    // Only in this era does going away mean that the answer is not wanted any more.
    carrier.context->cancel = carrier.exchange->disconnected();
    if (!modern_envelope(work)) return;
  } else if (header.data() != nullptr && carrier.inbound.header_count("mcp-protocol-version") > 1) {
    refuse(work, Refusal::not_request,
           "Invalid request: the MCP-Protocol-Version header occurs more than once.");
    return;
  }
  run(work);
}

// Notifications, and responses to nothing that was asked.
void Dispatcher::accept(const Message& message, const Carrier& carrier, const ReplyTo& reply,
                        const EraChoice& era) const {
  const std::string_view header = carrier.inbound.header("mcp-protocol-version");
  if (era.claim == Claim::modern_no_meta && header != version_name(Version::v2026_07_28)) {
    refuse(carrier, reply, nullptr,
           fault_of(Refusal::envelope, true, "Bad request: this MCP-Protocol-Version is not supported."));
    return;
  }
  if (message.kind == Message::Kind::response && era.claim != Claim::legacy) {
    refuse(carrier, reply, nullptr,
           fault_of(Refusal::not_request, true,
                    "Invalid request: this server asks nothing that could be answered."));
    return;
  }
  if (auto r = desk_.pipeline.throttle_method(*carrier.context); !r) {
    Fault fault = fault_of(r.error());
    reply(Reply{fault.status, desk_.renderer.error(nullptr, fault), std::move(fault.headers)});
    return;
  }
  if (message.kind == Message::Kind::notification) notified(message, carrier);
  reply(Reply{202, {}, {}});
}

// Steps 6 to 9 of the modern order: _meta, version header, version, method headers.
bool Dispatcher::modern_envelope(const Work& work) const {
  const Json* meta = meta_of(work.message.params);
  const auto version = meta->find(kMetaVersion);
  const auto capabilities = meta->find(kMetaCapabilities);
  if (!version->is_string() || capabilities == meta->end() || !capabilities->is_object()) {
    refuse(work, Refusal::envelope,
           "Invalid params: params._meta must carry io.modelcontextprotocol/protocolVersion (a string) and "
           "io.modelcontextprotocol/clientCapabilities (an object).");
    return false;
  }
  const std::string& requested = version->get_ref<const std::string&>();
  const bool mirrors = work.carrier.inbound.mirrors_headers();
  if (std::string why = mirrors ? check_version_header(work.carrier.inbound, requested) : std::string();
      !why.empty()) {
    refuse(work, Refusal::header_mismatch, "Header mismatch: " + why + ".");
    return false;
  }
  if (requested != version_name(Version::v2026_07_28)) {
    Fault fault = fault_of(Refusal::unsupported_version, true,
                           "Unsupported protocol version; use one of data.supported, or `initialize`.");
    fault.data = R"({"supported":[")";
    fault.data += version_name(Version::v2026_07_28);
    fault.data += R"("],"requested":)";
    append_json_string(fault.data, std::string_view(requested).substr(0, 64));
    fault.data += '}';
    refuse(work.carrier, work.reply, work.message.id, std::move(fault));
    return false;
  }
  if (!mirrors) return true;
  std::string why = check_method_headers(work.carrier.inbound, work.message.method, work.message.params);
  if (why.empty()) return true;
  refuse(work, Refusal::header_mismatch, "Header mismatch: " + why + ".");
  return false;
}

void Dispatcher::run(const Work& work) const {
  const std::string_view method = work.message.method;
  const Json& id = *work.message.id;
  if (const Json* meta = meta_of(work.message.params); meta != nullptr && meta->contains("traceparent"))
    if (const auto* parent = (*meta)["traceparent"].get_ptr<const std::string*>())
      desk_.pipeline.trace(*work.carrier.context, *parent);
  if (method == "tools/call") return call_tool(work);  // charges its own cost
  if (run_feature(work) || run_task_method(work)) return;
  if (throttled(work)) return;
  const bool modern = is_modern(work.version);
  if (method == "tools/list") return list_tools(work);
  if (modern && method == "server/discover") return work.reply(Reply{200, desk_.renderer.discover(id), {}});
  if (modern && method == "subscriptions/listen") return listen(work);
  if (!modern && method == "ping") return work.reply(Reply{200, desk_.renderer.empty_result(id), {}});
  if (!modern && method == "initialize") return initialize(work);
  if (!modern && method == "logging/setLevel") return set_log_level(work);
  if (!modern && method == "resources/subscribe") return subscribe(work, true);
  if (!modern && method == "resources/unsubscribe") return subscribe(work, false);
  refuse(work, Refusal::unknown_method,
         "Method not found: this server does not offer it. " +
             std::string(modern ? "server/discover" : "initialize") + " says what it offers.");
}

// In a batch there is one status for all: no challenge could say which message it is for.
WiderToken Dispatcher::wider_token(const Work& work) const {
  const Carrier& carrier = work.carrier;
  const bool can =
      carrier.inbound.mirrors_headers() && !carrier.batched && !desk_.settings.authorization_servers.empty();
  return {&desk_.settings, can ? std::string(carrier.inbound.header("host")) : std::string()};
}

bool Dispatcher::throttled(const Work& work) const {
  auto r = desk_.pipeline.throttle_method(*work.carrier.context);
  if (r) return false;
  answer(work, fault_of(r.error()));  // audited there
  return true;
}

}  // namespace vmcp::mcp
