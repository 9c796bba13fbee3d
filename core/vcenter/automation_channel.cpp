#include "vcenter/automation_channel.h"

#include <algorithm>
#include <array>

#include "vcenter/dialect.h"
#include "vcenter/errors.h"
#include "vcenter/operations.h"
#include "vcenter/wire.h"

namespace vmcp::vcenter {
namespace {

constexpr std::array<std::string_view, 5> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE"};

std::optional<Error> refuse(const AutomationRequest& request) {
  if (std::find(kMethods.begin(), kMethods.end(), request.method) == kMethods.end()) {
    return make_error(Code::invalid_argument, "the method is not one of GET, POST, PUT, PATCH, DELETE");
  }
  if (!sound_target(request.path, "/api/")) {
    return make_error(
        Code::invalid_argument,
        "the path is not one of the Automation API: it starts with /api/ and its ids are percent-encoded");
  }
  const std::string_view path = request.path.substr(0, request.path.find('?'));
  if ((path == "/api/session" || path.starts_with("/api/session/")) && request.method != "GET") {
    return make_error(Code::denied, "the session belongs to the server; it logs in and out by itself");
  }
  return std::nullopt;
}

// By the table, not by the method alone: a few POSTs only ask.
bool only_reads(const AutomationRequest& request) {
  if (request.method == "GET") return true;
  const Operation* operation = find_automation(request.method, request.path);
  return operation && operation->effect == Effect::read;
}

void add_unknown_outcome(Reply& reply) {
  reply.maybe_happened = true;
  mark_outcome_unknown(*reply.error);
}

}  // namespace

Reply failed_reply(Error error) {
  Reply reply;
  reply.error = std::move(error);
  return reply;
}

Reply failed_reply(const TransportFailure& failure, const Sender& sender, bool changing) {
  Reply reply = failed_reply(transport_error(failure, sender.host(), changing));
  reply.maybe_happened = changing && outcome_unknown(failure);
  return reply;
}

Error session_refused(std::string_view host, std::string_view detail) {
  return make_error(
      Code::unavailable,
      "vCenter '" + std::string(host) +
          "' refused the session (HTTP 401) right after a login; fix: the operator checks that the "
          "account of VCENTER_USER may log in to vCenter itself",
      std::string(detail));
}

Reply AutomationChannel::call(const AutomationRequest& request, const CallLimits& limits) {
  if (auto refused = refuse(request)) return failed_reply(std::move(*refused));
  WireRequest wire{std::string(request.method), std::string(request.path), std::string(request.body)};
  if (mode_ == ApiMode::rest) {
    Result<WireRequest> translated = to_rest(request);
    if (!translated) return failed_reply(translated.error());
    wire = std::move(*translated);
  }
  HttpRequest http = json_request(std::move(wire.method), std::move(wire.target));
  http.body = std::move(wire.body);
  http.headers.emplace_back(std::string(kSessionHeader), std::string());
  const bool reads = only_reads(request);

  Result<Secret> token = session_.get(limits);
  for (bool renewed = false;; renewed = true) {
    if (!token) return failed_reply(token.error());
    http.headers.back().second = token->reveal();
    const HttpOutcome outcome = sender_.send(http, reads, limits);
    const auto* response = std::get_if<HttpResponse>(&outcome);
    if (!response) return failed_reply(std::get<TransportFailure>(outcome), sender_, !reads);
    if (response->status != 401) {
      session_.accepted();
      return answer(request, *response);
    }
    if (renewed) {
      Error error = session_refused(sender_.host(), "second 401");
      session_.rejected(error);
      Reply reply = failed_reply(std::move(error));
      reply.http_status = 401;
      return reply;
    }
    token = session_.renew(*token, limits);
  }
}

Reply AutomationChannel::answer(const AutomationRequest& request, const HttpResponse& response) const {
  const bool reads = only_reads(request);
  Reply reply;
  reply.http_status = response.status;
  std::string body = response.body;
  bool readable = json_answer(response);
  std::string why = "the answer is not JSON";
  if (readable && mode_ == ApiMode::rest) {
    Result<std::string> shaped = from_rest(request, response.status, response.body);
    readable = shaped.ok();
    if (readable) body = std::move(*shaped);
    if (!readable) why = shaped.error().text;
  }
  if (response.status >= 200 && response.status < 300) {
    if (readable) {
      reply.body = std::move(body);
      return reply;
    }
    reply.error =
        make_error(Code::unavailable,
                   "vCenter '" + sender_.host() +
                       "' gave an answer that cannot be read; fix: "
                       "the operator checks that VCENTER_HOST names a vCenter, not a proxy or portal",
                   std::move(why));
    if (!reads) add_unknown_outcome(reply);
    return reply;
  }
  if (!readable) body.clear();
  const Operation* operation = find_automation(request.method, request.path);
  reply.error = automation_error(response.status, body, request.path,
                                 operation ? operation->privileges : std::string_view());
  reply.error->retry_after_ms = retry_after(response).count();
  const Fault fault = read_automation_fault(body);
  if (!reads && outcome_unknown(response.status, fault)) add_unknown_outcome(reply);
  if (!fault.type.empty()) reply.body = std::move(body);
  return reply;
}

}  // namespace vmcp::vcenter
