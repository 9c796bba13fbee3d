#include "vcenter/session.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/json.h"
#include "vcenter/dialect.h"
#include "vcenter/errors.h"
#include "vcenter/wire.h"

namespace vmcp::vcenter {
namespace {

constexpr milliseconds kFirstRest{5'000};
constexpr int kMostDoublings = 4;  // 80 s, cut to:
constexpr milliseconds kLongestRest{60'000};

Session::Login failed(Error error, bool refused = false) {
  return {std::move(error), refused};
}

Error login_error(const std::string& host, int status, const Fault& fault, std::string_view fix) {
  std::string text = "login failed: HTTP " + std::to_string(status);
  if (!fault.type.empty()) text += " " + fault.type;
  text += " from vCenter '" + host + "'";
  if (!fault.messages.empty()) text += ": " + fault.messages.front();
  text += "; fix: " + std::string(fix);
  return make_error(Code::unavailable, std::move(text));
}

constexpr std::string_view kCredentialsFix = "check VCENTER_USER and VCENTER_PASSWORD";

Session::Login token_login(std::string_view token, const std::string& host) {
  if (!usable_session_id(token)) {
    return failed(
        make_error(Code::unavailable, "login failed: vCenter '" + host +
                                          "' answered without a session id; fix: check that VCENTER_HOST "
                                          "names a vCenter and VSPHERE_API_MODE fits it"));
  }
  return {Secret(std::string(token)), false};
}

Session::Login read_automation_login(const HttpResponse& response, ApiMode mode, const std::string& host) {
  const bool rest = mode == ApiMode::rest;
  if (response.status == 200 || response.status == 201) {
    const Result<Json> parsed = parse_trusted_json(response.body, 65536);
    std::string token;
    if (parsed && !rest && parsed->is_string()) token = parsed->get<std::string>();
    if (parsed && rest && parsed->is_object() && parsed->contains("value") &&
        (*parsed)["value"].is_string()) {
      token = (*parsed)["value"].get<std::string>();
    }
    return token_login(token, host);
  }
  Fault fault;
  const AutomationRequest asked{"POST", "/api/session", {}};
  if (const auto shaped =
          rest ? from_rest(asked, response.status, response.body) : Result<std::string>(response.body)) {
    fault = read_automation_fault(*shaped);
  }
  if (response.status == 401 || response.status == 403) {
    return failed(login_error(host, response.status, fault, kCredentialsFix), true);
  }
  if (response.status == 404) {
    return failed(
        login_error(host, 404, fault,
                    rest ? "this vCenter does not serve /rest; set VSPHERE_API_MODE=api"
                         : "this address does not serve /api (vCenter 7.0 U2 or later); check VCENTER_HOST"));
  }
  Error error =
      login_error(host, response.status, fault, "repeat later; if it lasts, look at vCenter's health");
  error.retry_after_ms = retry_after(response).count();
  return failed(std::move(error));
}

}  // namespace

bool usable_session_id(std::string_view id) {
  return !id.empty() && id.size() <= 2048 &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

milliseconds Session::next_rest() {
  const int before = std::min(refusals_.fetch_add(1), kMostDoublings);
  return std::min(kFirstRest * (1 << before), kLongestRest);
}

Result<Secret> Session::get(const CallLimits& limits) {
  return flight_.get(limits, [this](const CallLimits& own) {
    Login made = login_(own);
    if (made.token.ok()) proven_ = false;
    const milliseconds rest = made.refused ? next_rest() : milliseconds{0};
    return SingleFlight<Secret>::Made{std::move(made.token), rest};
  });
}

Result<Secret> Session::renew(const Secret& stale, const CallLimits& limits) {
  flight_.drop_if([&](const Secret& current) { return current.reveal() == stale.reveal(); });
  return get(limits);
}

void Session::accepted() {
  if (proven_.load(std::memory_order_relaxed)) return;
  proven_ = true;
  refusals_ = 0;
}

void Session::rejected(const Error& error) {
  // An id that worked before may have met one odd answer; one that never did would be renewed for ever.
  if (!proven_) flight_.remember_failure(error, next_rest());
}

void Session::reissued(const Secret& used, std::string_view next) {
  if (next == used.reveal() || !usable_session_id(next)) return;
  flight_.replace_if([&](const Secret& current) { return current.reveal() == used.reveal(); },
                     Secret(std::string(next)));
}

std::optional<Secret> Session::take() {
  proven_ = false;
  return flight_.take();
}

Session::Login automation_login(Sender& sender, ApiMode mode, const Credentials& who,
                                const CallLimits& limits) {
  HttpRequest request =
      json_request("POST", mode == ApiMode::rest ? "/rest/com/vmware/cis/session" : "/api/session");
  request.headers.emplace_back("Authorization",
                               "Basic " + base64_encode(who.user + ":" + who.password.reveal()));
  // Otherwise /rest sets a cookie as well.
  if (mode == ApiMode::rest) request.headers.emplace_back("vmware-use-header-authn", "true");
  const HttpOutcome outcome = sender.send(request, true, limits);
  if (const auto* failure = std::get_if<TransportFailure>(&outcome)) {
    return failed(transport_error(*failure, sender.host(), false));
  }
  return read_automation_login(std::get<HttpResponse>(outcome), mode, sender.host());
}

void automation_logout(Sender& sender, ApiMode mode, const Secret& token, const CallLimits& limits) {
  HttpRequest request =
      json_request("DELETE", mode == ApiMode::rest ? "/rest/com/vmware/cis/session" : "/api/session");
  request.headers.emplace_back(std::string(kSessionHeader), token.reveal());
  (void)sender.send(request, false, limits);
}

Session::Login vim_login(Sender& sender, const std::string& base, const std::string& session_manager,
                         const Credentials& who, const CallLimits& limits) {
  HttpRequest request =
      json_request("POST", base + "/SessionManager/" + percent_encode(session_manager) + "/Login");
  request.body = dump_json({{"userName", who.user}, {"password", who.password.reveal()}, {"locale", "en"}});
  const HttpOutcome outcome = sender.send(request, true, limits);
  if (const auto* failure = std::get_if<TransportFailure>(&outcome)) {
    return failed(transport_error(*failure, sender.host(), false));
  }
  const auto& response = std::get<HttpResponse>(outcome);
  if (response.status == 200) return token_login(response.header(kSessionHeader), sender.host());
  const Fault fault = read_vim_fault(response.body);
  const bool refused = response.status == 401 || response.status == 403 || fault.type == "InvalidLogin" ||
                       fault.type == "NoPermission" || fault.type == "PasswordExpired";
  return failed(
      login_error(sender.host(), response.status, fault,
                  refused ? kCredentialsFix : "repeat later; if it lasts, look at vCenter's health"),
      refused);
}

void vim_logout(Sender& sender, const std::string& base, const std::string& session_manager,
                const Secret& token, const CallLimits& limits) {
  HttpRequest request =
      json_request("POST", base + "/SessionManager/" + percent_encode(session_manager) + "/Logout");
  request.headers.emplace_back(std::string(kSessionHeader), token.reveal());
  request.body = "{}";
  (void)sender.send(request, false, limits);
}

}  // namespace vmcp::vcenter
