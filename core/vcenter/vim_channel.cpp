#include "vcenter/vim_channel.h"

#include <algorithm>

#include "base/json.h"
#include "vcenter/automation_channel.h"
#include "vcenter/errors.h"
#include "vcenter/operations.h"
#include "vcenter/release.h"
#include "vcenter/wire.h"

namespace vmcp::vcenter {
namespace {

// An old vCenter does not become a new one within a minute.
constexpr milliseconds kRememberTooOld{60'000};

bool identifier(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view first_segment(std::string_view path) {
  return path.substr(0, path.find('.'));
}

std::optional<Error> refuse(const VimRequest& request) {
  std::string_view rest = request.member;
  bool sound =
      identifier(request.type) && !request.moref.empty() && request.moref.size() <= 512 && !rest.empty();
  while (sound && !rest.empty()) {
    const std::string_view name = first_segment(rest);
    sound = identifier(name) && (request.property || name.size() == rest.size());
    rest = name.size() == rest.size() ? std::string_view() : rest.substr(name.size() + 1);
    if (sound && rest.empty() && request.member.ends_with('.')) sound = false;
  }
  if (!sound) {
    return make_error(
        Code::invalid_argument,
        "not a vim25 call: type and method are plain names, a property is a dotted path of names (no "
        "indices), and the object's id is given");
  }
  if (request.type == "SessionManager" && !request.property) {
    return make_error(Code::denied, "the session belongs to the server; it logs in and out by itself");
  }
  return std::nullopt;
}

bool session_problem(const HttpResponse& response) {
  if (response.status == 401) return true;
  return response.status == 500 && response.body.find("NotAuthenticated") != std::string::npos &&
         read_vim_fault(response.body).type == "NotAuthenticated";
}

std::string base_of(const std::string& release) {
  return "/sdk/vim25/" + release;
}

// VI/JSON serves whole properties; the rest of a path is walked here. Null where something is unset.
Result<std::string> descend(std::string_view body, std::string_view path) {
  Result<Json> parsed = parse_trusted_json(body);
  if (!parsed) {
    return make_error(Code::unavailable,
                      "vCenter's answer is not JSON; fix: the operator checks VCENTER_HOST",
                      parsed.error().text);
  }
  Json value = std::move(*parsed);
  while (!path.empty()) {
    const std::string_view name = first_segment(path);
    path = name.size() == path.size() ? std::string_view() : path.substr(name.size() + 1);
    if (value.is_null()) break;
    if (!value.is_object()) {
      return make_error(Code::invalid_argument,
                        "the property path goes into a value that has no members; fix: read the "
                        "property before '" +
                            std::string(name) + "'");
    }
    const auto member = value.find(name);
    Json next = member == value.end() ? Json() : std::move(*member);
    value = std::move(next);
  }
  return dump_json(value);
}

}  // namespace

bool table_vim_reads(std::string_view type, std::string_view method) {
  // A cursor moves on when it is read: a second call after a lost answer would skip a page in silence.
  if (method.starts_with("ReadNext") || method.starts_with("ReadPrevious")) return false;
  const Operation* operation = find_vim_method(type, method);
  return operation && operation->effect == Effect::read;
}

VimChannel::VimChannel(Sender& sender, Session& shared, ApiMode mode, Credentials who, VimReads reads,
                       NoteLogin note)
    : sender_(sender),
      shared_(shared),
      mode_(mode),
      who_(std::move(who)),
      reads_(std::move(reads)),
      note_(std::move(note)),
      own_([this](const CallLimits& limits) { return own_login(limits); }) {}

Result<About> VimChannel::about(const CallLimits& limits) {
  return about_.get(limits, [this](const CallLimits& own) { return negotiate(own); });
}

Session::Login VimChannel::own_login(const CallLimits& limits) {
  Result<About> found = about(limits);
  if (!found) return {found.error(), false};
  Session::Login made = vim_login(sender_, base_of(found->vim_release), found->session_manager, who_, limits);
  note_(made);
  return made;
}

Result<std::string> VimChannel::negotiate_release(const CallLimits& limits) {
  if (mode_ == ApiMode::api) {
    HttpRequest hello = json_request("POST", "/api/vcenter/system?action=hello");
    hello.body = hello_body();
    // The document asks for a session, but servers were seen to answer without: none is made for this alone.
    if (const auto token = shared_.peek())
      hello.headers.emplace_back(std::string(kSessionHeader), token->reveal());
    const HttpOutcome outcome = sender_.send(hello, true, limits);
    if (const auto* failure = std::get_if<TransportFailure>(&outcome)) {
      return transport_error(*failure, sender_.host(), false);
    }
    const auto& response = std::get<HttpResponse>(outcome);
    if (response.status == 200) {
      if (std::string release = release_from_hello(response.body); !release.empty()) return release;
    }
  }
  HttpRequest versions = json_request("GET", "/sdk/vimServiceVersions.xml");
  versions.headers.front().second = "text/xml, application/xml";
  const HttpOutcome outcome = sender_.send(versions, true, limits);
  if (const auto* failure = std::get_if<TransportFailure>(&outcome)) {
    return transport_error(*failure, sender_.host(), false);
  }
  const auto& response = std::get<HttpResponse>(outcome);
  if (response.status != 200) {
    Error error = vim_error(response.status, response.body);
    error.text = "vCenter '" + sender_.host() +
                 "' does not say which releases it speaks (vimServiceVersions.xml): " + error.text;
    return error;
  }
  return release_from_versions(response.body);
}

SingleFlight<About>::Made VimChannel::negotiate(const CallLimits& limits) {
  Result<std::string> release = negotiate_release(limits);
  if (!release) {
    const bool too_old = release.error().text.starts_with("VI/JSON needs");
    return {release.error(), too_old ? kRememberTooOld : milliseconds{0}};
  }
  HttpRequest content = json_request("GET", base_of(*release) + "/ServiceInstance/ServiceInstance/content");
  HttpOutcome outcome = sender_.send(content, true, limits);
  // Servers give this without a session; one that does not is asked with it.
  if (const auto* response = std::get_if<HttpResponse>(&outcome); response && session_problem(*response)) {
    const Result<Secret> token = shared_.get(limits);
    if (!token) return {token.error()};
    content.headers.emplace_back(std::string(kSessionHeader), token->reveal());
    outcome = sender_.send(content, true, limits);
  }
  if (const auto* failure = std::get_if<TransportFailure>(&outcome)) {
    return {transport_error(*failure, sender_.host(), false)};
  }
  const auto& response = std::get<HttpResponse>(outcome);
  if (response.status != 200) return {vim_error(response.status, response.body)};
  return {read_service_content(response.body, *release)};
}

VimChannel::Outcome VimChannel::send(HttpRequest& request, bool reads, const CallLimits& limits) {
  request.headers.emplace_back(std::string(kSessionHeader), std::string());
  bool own = sharing_ == Sharing::own;
  Result<Secret> token = (own ? own_ : shared_).get(limits);
  for (bool again = false;; again = true) {
    if (!token) return {std::nullopt, failed_reply(token.error())};
    Session& session = own ? own_ : shared_;
    request.headers.back().second = token->reveal();
    HttpOutcome outcome = sender_.send(request, reads, limits);
    auto* response = std::get_if<HttpResponse>(&outcome);
    if (!response) return {std::nullopt, failed_reply(std::get<TransportFailure>(outcome), sender_, !reads)};
    if (!session_problem(*response)) {
      session.accepted();
      session.reissued(*token, response->header(kSessionHeader));
      Sharing expected = Sharing::untried;
      if (!own) sharing_.compare_exchange_strong(expected, Sharing::shared);
      return {std::move(*response), {}};
    }
    if (again) {
      Error error = session_refused(sender_.host(), "second NotAuthenticated");
      // The Automation API may still take the shared id: only this side turns away from it.
      own ? own_.rejected(error) : sharing_.store(Sharing::own);
      Reply reply = failed_reply(std::move(error));
      reply.http_status = response->status;
      return {std::nullopt, std::move(reply)};
    }
    Sharing expected = Sharing::untried;
    if (!own && (sharing_.compare_exchange_strong(expected, Sharing::own) || expected == Sharing::own)) {
      own = true;
      token = own_.get(limits);
    } else {
      token = session.renew(*token, limits);
      // Another login may meet another server (an upgrade in between): what it said is read again.
      about_.take();
    }
  }
}

Reply VimChannel::call(const VimRequest& request, const CallLimits& limits) {
  if (auto refused = refuse(request)) return failed_reply(std::move(*refused));
  const Result<About> found = about(limits);
  if (!found) return failed_reply(found.error());
  const bool reads = request.property || reads_(request.type, request.member);
  HttpRequest http = json_request(
      request.property ? "GET" : "POST",
      base_of(found->vim_release) + "/" + std::string(request.type) + "/" + percent_encode(request.moref) +
          "/" + std::string(request.property ? first_segment(request.member) : request.member));
  if (!request.property) http.body = request.params.empty() ? "{}" : std::string(request.params);
  Outcome outcome = send(http, reads, limits);
  return outcome.response ? answer(request, *outcome.response, reads) : std::move(outcome.failure);
}

Reply VimChannel::answer(const VimRequest& request, const HttpResponse& response, bool reads) const {
  Reply reply;
  reply.http_status = response.status;
  const bool readable = json_answer(response);
  const auto unknown = [&] {
    reply.maybe_happened = true;
    mark_outcome_unknown(*reply.error);
  };
  if (response.status >= 200 && response.status < 300) {
    if (!readable) {
      reply.error = make_error(Code::unavailable,
                               "vCenter '" + sender_.host() +
                                   "' gave an answer that cannot be read; fix: the operator "
                                   "checks that VCENTER_HOST names a vCenter, not a proxy or portal");
      if (!reads) unknown();
      return reply;
    }
    reply.body = response.body;
    const std::size_t first = first_segment(request.member).size();
    if (request.property && first < request.member.size() && !reply.body.empty()) {
      Result<std::string> part = descend(response.body, request.member.substr(first + 1));
      if (part) reply.body = std::move(*part);
      if (!part) reply = failed_reply(part.error());
    }
    return reply;
  }
  const std::string_view body = readable ? std::string_view(response.body) : std::string_view();
  const Fault fault = read_vim_fault(body);
  const Operation* operation = request.property
                                   ? find_vim_property(request.type, first_segment(request.member))
                                   : find_vim_method(request.type, request.member);
  reply.error = vim_error(response.status, body, operation ? operation->privileges : std::string_view());
  reply.error->retry_after_ms = retry_after(response).count();
  if (!reads && outcome_unknown(response.status, fault)) unknown();
  if (!fault.type.empty()) reply.body = std::string(body);
  return reply;
}

void VimChannel::close(const CallLimits& limits) {
  const std::optional<About> known = about_.take();
  const std::optional<Secret> token = own_.take();
  if (token && known)
    vim_logout(sender_, base_of(known->vim_release), known->session_manager, *token, limits);
}

}  // namespace vmcp::vcenter
