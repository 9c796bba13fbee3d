#include "vcenter/vcenter_connection.h"

#include <chrono>

#include "base/crypto.h"

namespace vmcp::vcenter {
namespace {

constexpr std::chrono::seconds kLogoutTime{2};

void replace_all(std::string& text, const std::string& what) {
  // Shorter ones would riddle every text and are no secret any more.
  if (what.size() < 3) return;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), Secret::kMask);
    at += Secret::kMask.size();
  }
}

}  // namespace

VcenterConnection::VcenterConnection(Endpoint endpoint, const Settings& settings,
                                     std::unique_ptr<Transport> transport, VimReads vim_reads, Log& log)
    : endpoint_(std::move(endpoint)),
      mode_(settings.mode),
      who_{settings.user, settings.password},
      log_(log),
      transport_(std::move(transport)),
      sender_(*transport_, breaker_, RetryPolicy{settings.retries, settings.backoff_s}, log_, endpoint_.name,
              settings.on_answer),
      session_([this](const CallLimits& limits) { return log_in(limits); }),
      automation_(sender_, session_, mode_),
      vim_(sender_, session_, mode_, who_, std::move(vim_reads),
           [this](Session::Login& made) { note_login(made, "VI/JSON"); }) {}

Session::Login VcenterConnection::log_in(const CallLimits& limits) {
  Session::Login made = automation_login(sender_, mode_, who_, limits);
  note_login(made, "Automation API");
  return made;
}

void VcenterConnection::note_login(Session::Login& made, std::string_view protocol) {
  if (made.token.ok()) {
    log_.info("vcenter_login", {{"host", endpoint_.name}, {"user", who_.user}, {"protocol", protocol}});
    return;
  }
  redact(made.token.error());
  log_.warning("vcenter_login_failed", {{"host", endpoint_.name},
                                        {"user", who_.user},
                                        {"protocol", protocol},
                                        {"error", made.token.error().text},
                                        {"detail", made.token.error().detail}});
}

Reply VcenterConnection::automation(const AutomationRequest& request, const CallLimits& limits) {
  return finish(automation_.call(request, limits), request.method, request.path);
}

Reply VcenterConnection::vim(const VimRequest& request, const CallLimits& limits) {
  return finish(vim_.call(request, limits), request.type, request.member);
}

Result<About> VcenterConnection::about(const CallLimits& limits) {
  Result<About> found = vim_.about(limits);
  if (!found) redact(found.error());
  return found;
}

Reply VcenterConnection::finish(Reply reply, std::string_view what, std::string_view path) const {
  if (!reply.error) return reply;
  redact(*reply.error);
  replace_all(reply.body, who_.password.reveal());
  log_.debug("vcenter_request_failed", {{"host", endpoint_.name},
                                        {"what", what},
                                        {"path", path.substr(0, path.find('?'))},
                                        {"status", std::to_string(reply.http_status)},
                                        {"code", code_name(reply.error->code)},
                                        {"detail", reply.error->detail},
                                        {"maybe_happened", reply.maybe_happened ? "true" : "false"}});
  return reply;
}

void VcenterConnection::redact(Error& error) const {
  for (std::string* text : {&error.text, &error.detail}) {
    replace_all(*text, who_.password.reveal());
    replace_all(*text, base64_encode(who_.user + ":" + who_.password.reveal()));
    if (const auto token = session_.peek()) replace_all(*text, token->reveal());
  }
}

void VcenterConnection::close() {
  const CallLimits limits{std::chrono::steady_clock::now() + kLogoutTime, CancelFlag()};
  vim_.close(limits);
  if (const auto token = session_.take()) {
    automation_logout(sender_, mode_, *token, limits);
    log_.info("vcenter_logout", {{"host", endpoint_.name}});
  }
  transport_->close_idle();
}

}  // namespace vmcp::vcenter
