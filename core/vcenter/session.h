// One login shared by everyone who talks to one vCenter in one protocol.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "vcenter/retry.h"
#include "vcenter/settings.h"
#include "vcenter/single_flight.h"

namespace vmcp::vcenter {

// [any thread]
class Session {
 public:
  struct Login {
    Result<Secret> token;
    bool refused = false;  // the credentials were: asking again at once could lock the account
  };
  using LoginFn = std::function<Login(const CallLimits&)>;

  explicit Session(LoginFn login) : login_(std::move(login)) {}

  // The session's id; logs in if there is none (once for all who ask). After refused credentials everyone
  // gets that error for a while, 5 s at first, doubling to a minute.
  Result<Secret> get(const CallLimits& limits);
  // `stale` was answered with 401: a new login, unless somebody else has made one meanwhile.
  Result<Secret> renew(const Secret& stale, const CallLimits& limits);

  void accepted();                                           // vCenter took the id
  void rejected(const Error& error);                         // vCenter refused an id that it had just issued
  void reissued(const Secret& used, std::string_view next);  // the server replaced the id
  std::optional<Secret> peek() const { return flight_.peek(); }
  std::optional<Secret> take();  // for logging out; the next get() logs in again

 private:
  milliseconds next_rest();

  const LoginFn login_;
  SingleFlight<Secret> flight_;
  std::atomic<bool> proven_{false};  // the current id was accepted at least once
  std::atomic<int> refusals_{0};     // in a row
};

inline constexpr std::string_view kSessionHeader = "vmware-api-session-id";

// A header value that vCenter may choose for us.
bool usable_session_id(std::string_view id);

struct Credentials {
  std::string user;
  Secret password;
};

Session::Login automation_login(Sender& sender, ApiMode mode, const Credentials& who,
                                const CallLimits& limits);
void automation_logout(Sender& sender, ApiMode mode, const Secret& token, const CallLimits& limits);

// `base` = "/sdk/vim25/8.0.2.0".
Session::Login vim_login(Sender& sender, const std::string& base, const std::string& session_manager,
                         const Credentials& who, const CallLimits& limits);
void vim_logout(Sender& sender, const std::string& base, const std::string& session_manager,
                const Secret& token, const CallLimits& limits);

}  // namespace vmcp::vcenter
