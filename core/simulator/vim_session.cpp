#include "simulator/vim.h"
#include "simulator/vim_service.h"
#include "simulator/vim_write.h"

namespace vmcp::simulator {

VimAnswer vim_login(VimCall& call) {
  const std::string user = call.body.value("userName", "");
  const std::string password = call.body.value("password", "");
  const Sessions::Login login = call.world.sessions.login(user, password, Api::vim, call.world.now);
  if (login.session == nullptr && login.error == Sessions::LoginError::too_many) return {503, {}, {}};
  if (login.session == nullptr) {
    return VimAnswer::fault(
        simple_failure("InvalidLogin", "Cannot complete login due to an incorrect user name or password."));
  }
  login.session->peer = call.http.peer;
  login.session->agent = std::string(call.http.header("User-Agent"));
  VimAnswer answer = VimAnswer::of(user_session(*login.session));
  answer.headers.emplace_back("vmware-api-session-id", login.session->secret);
  return answer;
}

VimAnswer vim_logout(VimCall& call) {
  call.world.sessions.logout(*call.session);
  return VimAnswer::nothing();
}

VimAnswer vim_session_is_active(VimCall& call) {
  const std::string key = call.body.value("sessionID", "");
  for (const Session* session : call.world.sessions.list()) {
    if (session->key == key) return VimAnswer::of(true);
  }
  return VimAnswer::of(false);
}

VimAnswer vim_service_content(VimCall& call) {
  return VimAnswer::of(service_content(call.world));
}

VimAnswer vim_current_time(VimCall& call) {
  return VimAnswer::of(iso_time(call.world.now));
}

}  // namespace vmcp::simulator
