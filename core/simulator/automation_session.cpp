#include "base/crypto.h"
#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

// "Basic b64(user:password)" → both; false when it is anything else.
bool read_basic(std::string_view header, std::string& user, std::string& password) {
  constexpr std::string_view kScheme = "basic ";
  if (header.size() < kScheme.size() || !equals_ignoring_case(header.substr(0, kScheme.size()), kScheme))
    return false;
  std::string pair;
  if (!base64_decode(header.substr(kScheme.size()), pair)) return false;
  const auto colon = pair.find(':');
  if (colon == std::string::npos) return false;
  user = pair.substr(0, colon);
  password = pair.substr(colon + 1);
  return true;
}

}  // namespace

Answer session_create(Call& call) {
  std::string user, password;
  if (!read_basic(call.http.header("Authorization"), user, password)) return unauthenticated();
  const Sessions::Login login = call.world.sessions.login(user, password, Api::automation, call.world.now);
  if (login.session == nullptr && login.error == Sessions::LoginError::too_many) {
    return Answer::error("SERVICE_UNAVAILABLE",
                         {"com.vmware.vapi.endpoint.failure", "Out of HTTP sessions: Limited to 2000.", {}});
  }
  if (login.session == nullptr) return unauthenticated();
  login.session->peer = call.http.peer;
  login.session->agent = std::string(call.http.header("User-Agent"));
  Answer answer = Answer::of(login.session->secret);
  answer.kind = Answer::Kind::created;
  if (call.dialect == Dialect::rest && call.http.header("vmware-use-header-authn").empty()) {
    answer.headers.emplace_back(
        "Set-Cookie", "vmware-api-session-id=" + login.session->secret + ";Path=/rest;Secure;HttpOnly");
  }
  return answer;
}

Answer session_get(Call& call) {
  return Answer::of({{"user", call.user().name},
                     {"created_time", iso_time(call.session->created)},
                     {"last_accessed_time", iso_time(call.session->last_access)}});
}

Answer session_delete(Call& call) {
  call.world.sessions.logout(*call.session);
  return {};
}

}  // namespace vmcp::simulator
