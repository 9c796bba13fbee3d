#include "http/routes.h"

#include <algorithm>

#include "http/event_stream.h"

namespace vmcp::http {
namespace {

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char p, char t) {
           return p == (t >= 'A' && t <= 'Z' ? static_cast<char>(t + 32) : t);
         });
}

const std::string kMetadataPath = "/.well-known/oauth-protected-resource";  // RFC 9728

constexpr const char* kCorsRequestHeaders =
    "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, "
    "last-event-id";

// An HTTP exchange as mcp/ sees it.
class InboundHttp final : public mcp::Inbound {
 public:
  explicit InboundHttp(HttpExchangePtr exchange) : exchange_(std::move(exchange)) {}

  CancelFlag disconnected() const override { return exchange_->disconnected(); }
  void answer_by(SteadyTime deadline, std::function<void()> overrun) override {
    exchange_->answer_by(deadline, std::move(overrun));
  }
  bool enter_blocking() override { return exchange_->enter_blocking(); }
  void leave_blocking() override { exchange_->leave_blocking(); }

  std::string_view method() const override { return request().method; }
  std::string_view header(std::string_view name) const override { return request().header(name); }
  std::size_t header_count(std::string_view name) const override { return request().count(name); }
  std::vector<std::pair<std::string_view, std::string_view>> headers_with(
      std::string_view prefix) const override {
    std::vector<std::pair<std::string_view, std::string_view>> out;
    for (const Header& h : request().headers)
      if (starts_with_ignoring_case(h.name, prefix)) out.emplace_back(h.name, h.value);
    return out;
  }
  std::string_view body() const override { return request().body; }
  std::string_view peer() const override { return request().peer; }
  const PeerCertificate* certificate() const override { return request().client_certificate.get(); }

  bool answer(mcp::Answer answer) override {
    Response response;
    response.status = answer.status;
    response.content_type = std::move(answer.content_type);
    response.body = std::move(answer.body);
    response.headers = std::move(answer.headers);
    allow_origin(response);
    return exchange_->respond(std::move(response));
  }

  mcp::MessageStreamPtr open_stream(mcp::StreamHead head) override {
    Response response;
    response.content_type = "text/event-stream";
    response.headers = std::move(head.headers);
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold events back
    allow_origin(response);
    return open_event_stream(*exchange_, std::move(response), head);
  }

 private:
  const Request& request() const { return exchange_->request(); }

  void allow_origin(Response& response) const {
    if (const std::string_view origin = header("origin");
        origin.data() != nullptr) {  // allowed, or it were not here
      response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
      response.headers.emplace_back("Access-Control-Expose-Headers",
                                    "mcp-session-id, www-authenticate, x-request-id");
      response.headers.emplace_back("Vary", "Origin");
    }
  }

  HttpExchangePtr exchange_;
};

void answer_json(const HttpExchangePtr& exchange, int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  exchange->respond(std::move(response));
}

void answer_preflight(const HttpExchangePtr& exchange) {
  const Request& request = exchange->request();
  std::string allowed = kCorsRequestHeaders;
  // mcp-param-* cannot be listed with a wildcard next to credentials: those that are asked for are named.
  const std::string_view asked = request.header("access-control-request-headers");
  for (std::size_t from = 0; from < asked.size();) {
    std::size_t to = asked.find(',', from);
    if (to == std::string_view::npos) to = asked.size();
    std::string_view name = asked.substr(from, to - from);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    if (starts_with_ignoring_case(name, "mcp-param-") && std::all_of(name.begin(), name.end(), [](char c) {
          return c == '-' || c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
        }))
      allowed.append(", ").append(name);
    from = to + 1;
  }
  Response response;
  response.status = 204;
  response.headers = {{"Access-Control-Allow-Origin", std::string(request.header("origin"))},
                      {"Access-Control-Allow-Methods", "POST, GET, DELETE, OPTIONS"},
                      {"Access-Control-Allow-Headers", allowed},
                      {"Access-Control-Max-Age", "600"},
                      {"Vary", "Origin"}};
  exchange->respond(std::move(response));
}

}  // namespace

Routes::Routes(std::string mcp_path, OriginGuard guard, mcp::Endpoint& endpoint, pipeline::Pipeline& pipeline,
               const admin::Health& health)
    : mcp_path_(std::move(mcp_path)),
      guard_(std::move(guard)),
      endpoint_(endpoint),
      pipeline_(pipeline),
      health_(health) {}

void Routes::handle_mcp(const HttpExchangePtr& exchange) const {
  const Request& request = exchange->request();
  const std::string_view origin = request.header("origin");
  if (auto r = guard_.check(origin, request.header("host")); !r) {
    const pipeline::ContextPtr context = pipeline_.open({request.peer, {}, 0, {}});
    pipeline_.refused(*context, "transport", r.error());
    std::string body = R"({"jsonrpc":"2.0","error":{"code":-32600,"message":)";
    append_json_string(body, r.error().text);
    answer_json(exchange, 403, body + "}}");
    return;
  }
  if (request.method == "OPTIONS" && origin.data() != nullptr) {
    answer_preflight(exchange);
    return;
  }
  endpoint_.handle(std::make_shared<InboundHttp>(exchange));
}

// For anyone, also a page of any origin: it says nothing but where to ask for a token.
bool Routes::handle_metadata(const HttpExchangePtr& exchange) const {
  const Request& request = exchange->request();
  if (request.path != kMetadataPath && request.path != kMetadataPath + mcp_path_) return false;
  if (request.method != "GET" || !guard_.check({}, request.header("host"))) return false;
  Response response;
  response.body = endpoint_.protected_resource(request.header("host"));
  if (response.body.empty()) return false;
  response.status = 200;
  response.content_type = "application/json";
  response.headers = {{"Access-Control-Allow-Origin", "*"}, {"Cache-Control", "max-age=300"}};
  exchange->respond(std::move(response));
  return true;
}

void Routes::handle(const HttpExchangePtr& exchange) const {
  const Request& request = exchange->request();
  if (request.path == mcp_path_) {
    handle_mcp(exchange);
  } else if (request.path == "/healthz") {
    answer_json(exchange, 200, health_.alive_json());
  } else if (request.path == "/readyz") {
    int status = 503;
    std::string body = health_.ready_json(status);
    answer_json(exchange, status, std::move(body));
  } else if (!handle_metadata(exchange)) {
    std::string body = R"({"error":"Not found. The MCP endpoint is )";
    answer_json(exchange, 404, body + mcp_path_ + "\"}");
  }
}

}  // namespace vmcp::http
