// /admin/v1/…: what an operator changes while the server runs. Every request has a credential, every change
// an INTENT in the journal before it and an OUTCOME after it; without the first nothing is changed.
//
//   GET  /admin/v1/plugins                  what each plugin is and what became of it
//   POST /admin/v1/plugins/ID/disable       out of what is offered, also after a restart
//   POST /admin/v1/plugins/ID/enable        back in
//   POST /admin/v1/plugins/ID/rollback      the generation before, from the bytes that ran then
//   POST /admin/v1/reload                   files and configuration anew, as SIGHUP does
//
// Answers are JSON objects; a refusal is {"error":TEXT} with 400, 401, 403, 404, 409, 429 or 503.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/audit.h"
#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "policy/current.h"
#include "throttle/limiter.h"
#include "tools/plugin_set.h"

namespace vmcp::admin {

struct Request {
  std::string_view method, path;
  std::string_view authorization;  // data()==nullptr: no such header
  std::size_t authorizations = 0;  // how many such headers there are
  std::string_view peer;
};

struct Answer {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// All referred to outlive the API.
struct Services {
  const auth::Authenticator& authenticator;
  const policy::CurrentPolicy& policy;
  throttle::Limiter& limiter;
  audit::Audit& audit;
  tools::PluginSet& plugins;
  const Clock& clock;
  std::function<Result<void>()> reload;  // null: not here
};

// What the local operator shows: whoever can read the server's key file. Its token is the key in hex.
inline constexpr const char* kOperator = "local-operator";
std::string operator_token(const Secret& key);

class Api {
 public:
  Api(Services services, const Secret& operator_key)
      : services_(std::move(services)), token_(operator_token(operator_key)) {}

  // [any thread; blocks while plugins are loaded]
  Answer handle(const Request& request);

 private:
  struct Call;
  // `who`: as far as it is known, also of one who is refused.
  Result<void> admit(const Request& request, std::string_view area, Principal& who) const;
  Answer refuse(const Request& request, std::string_view area, const Principal& who, const Error& error);
  Answer change(const Call& call, const std::function<Result<void>()>& act);
  Result<void> act_on_plugin(const Call& call);
  Answer list_plugins() const;

  const Services services_;
  const Secret token_;
};

}  // namespace vmcp::admin
