#include "mcp/dispatch.h"

#include <exception>

#include "mcp/header_check.h"
#include "tools/schema.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxToolName = 128;
constexpr std::size_t kMaxCursor = 1024;

Fault server_fault() {
  return fault_of(
      make_error(Code::internal, "Internal error. The operator finds it in the log by the request id."));
}

// The string member of params, or null.
const std::string* string_member(const Json* params, std::string_view key) {
  if (params == nullptr) return nullptr;
  const auto it = params->find(key);
  return it == params->end() ? nullptr : it->get_ptr<const std::string*>();
}

}  // namespace

void Dispatcher::refuse(const Carrier& carrier, const ReplyTo& reply, const Json* id, Fault fault) const {
  pipeline_.refused(*carrier.context, "parse", make_error(Code::malformed, fault.text));
  reply(Reply{fault.status, renderer_.error(id, fault), std::move(fault.headers)});
}

void Dispatcher::refuse(const Work& work, Refusal refusal, std::string text) const {
  refuse(work.carrier, work.reply, work.message.id,
         fault_of(refusal, is_modern(work.version), std::move(text)));
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
    choose(message, carrier, reply);
  } catch (const std::exception& e) {
    log_.error("a message failed", {{"request_id", carrier.context->request_id}, {"detail", e.what()}});
    const Fault fault = server_fault();
    reply(Reply{fault.status, renderer_.error(message.id, fault), {}});
  }
}

void Dispatcher::choose(const Message& message, const Carrier& carrier, const ReplyTo& reply) const {
  const std::string_view header = carrier.inbound.header("mcp-protocol-version");
  EraChoice era = choose_era(message.method, message.params, header);
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

// Notifications and responses: taken, and nothing follows, because nothing is remembered between requests.
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
  if (auto r = pipeline_.throttle_method(*carrier.context); !r) {
    Fault fault = fault_of(r.error());
    reply(Reply{fault.status, renderer_.error(nullptr, fault), std::move(fault.headers)});
    return;
  }
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
  if (std::string why = check_version_header(work.carrier.inbound, requested); !why.empty()) {
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
  std::string why = check_method_headers(work.carrier.inbound, work.message.method, work.message.params);
  if (why.empty()) return true;
  refuse(work, Refusal::header_mismatch, "Header mismatch: " + why + ".");
  return false;
}

void Dispatcher::run(const Work& work) const {
  const std::string_view method = work.message.method;
  const Json& id = *work.message.id;
  if (method == "tools/call") return call_tool(work);  // charges its own cost
  if (throttled(work)) return;
  const bool modern = is_modern(work.version);
  if (method == "tools/list") return list_tools(work);
  if (modern && method == "server/discover") return work.reply(Reply{200, renderer_.discover(id), {}});
  if (!modern && method == "ping") return work.reply(Reply{200, renderer_.empty_result(id), {}});
  if (!modern && method == "initialize") return initialize(work);
  refuse(work, Refusal::unknown_method,
         "Method not found: this server offers tools only (" +
             std::string(modern ? "server/discover, " : "initialize, ping, ") + "tools/list, tools/call).");
}

bool Dispatcher::throttled(const Work& work) const {
  auto r = pipeline_.throttle_method(*work.carrier.context);
  if (r) return false;
  Fault fault = fault_of(r.error());
  work.reply(Reply{fault.status, renderer_.error(work.message.id, fault), std::move(fault.headers)});
  return true;
}

void Dispatcher::initialize(const Work& work) const {
  const std::string* asked = string_member(work.message.params, "protocolVersion");
  if (asked == nullptr)
    return refuse(work, Refusal::bad_params,
                  "Invalid params: initialize needs \"protocolVersion\", a string.");
  Version version = kLatestLegacy;
  legacy_version(*asked, version);
  work.reply(Reply{200, renderer_.initialize(*work.message.id, version), {}});
}

void Dispatcher::list_tools(const Work& work) const {
  std::string_view cursor;
  if (work.message.params != nullptr && work.message.params->contains("cursor")) {
    const std::string* given = string_member(work.message.params, "cursor");
    if (given == nullptr || given->size() > kMaxCursor)
      return refuse(work, Refusal::bad_params,
                    "Invalid params: \"cursor\" must be a nextCursor of this server.");
    cursor = *given;
  }
  auto page = pipeline_.list_tools(*work.carrier.context, cursor, settings_.page_size);
  if (page) return work.reply(Reply{200, renderer_.tool_list(*work.message.id, work.version, *page), {}});
  if (page.error().code == Code::malformed)
    return refuse(work, Refusal::bad_params, "Invalid params: " + page.error().text);
  Fault fault = fault_of(page.error());
  work.reply(Reply{fault.status, renderer_.error(work.message.id, fault), std::move(fault.headers)});
}

void Dispatcher::call_tool(const Work& work) const {
  Json* params = work.message.params;
  const std::string* name = string_member(params, "name");
  if (name == nullptr || name->empty() || name->size() > kMaxToolName)
    return refuse(work, Refusal::bad_params,
                  "Invalid params: tools/call needs \"name\", the name of a tool.");
  const auto arguments = params->find("arguments");
  if (arguments != params->end() && !arguments->is_object())
    return refuse(work, Refusal::bad_params, "Invalid params: \"arguments\" must be an object.");
  if (is_modern(work.version) && params->contains("requestState"))
    return refuse(work, Refusal::bad_params,
                  "Invalid params: \"requestState\" was not issued by this server.");

  pipeline::ToolCall call;
  call.name = *name;
  if (arguments != params->end()) call.arguments = std::move(*arguments);
  if (is_modern(work.version)) {
    call.client = client_of(meta_of(params));
    const tools::ToolPtr tool = pipeline_.find_tool(*work.carrier.context, call.name);
    if (tool && tool->input && !tool->input->header_params().empty()) {
      std::string why =
          check_param_headers(work.carrier.inbound, tool->input->header_params(), call.arguments);
      if (!why.empty()) return refuse(work, Refusal::header_mismatch, "Header mismatch: " + why + ".");
    }
  }
  // The answer may come on the watch thread, after the parsed message is gone: everything is held by value.
  auto done = [&renderer = renderer_, id = *work.message.id, version = work.version,
               context = work.carrier.context, reply = work.reply](pipeline::ToolAnswer&& answer) {
    if (answer.protocol) {
      Fault fault = fault_of(*answer.protocol);
      reply(Reply{fault.status, renderer.error(&id, fault), std::move(fault.headers)});
    } else {
      reply(Reply{200, renderer.tool_result(id, version, answer, context->request_id), {}});
    }
  };
  pipeline_.call_tool(work.carrier.context, std::move(call), work.carrier.exchange, std::move(done));
}

}  // namespace vmcp::mcp
