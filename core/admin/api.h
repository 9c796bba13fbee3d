// /admin/v1/…: what an operator changes while the server runs. Every request has a credential, every change
// an INTENT in the journal before it and an OUTCOME after it; without the first nothing is changed.
//
//   GET  /admin/v1/plugins                  what each plugin is and what became of it
//   POST /admin/v1/plugins/ID/disable       out of what is offered, also after a restart
//   POST /admin/v1/plugins/ID/enable        back in
//   POST /admin/v1/plugins/ID/rollback      the generation before, from the bytes that ran then
//   POST /admin/v1/reload                   files and configuration anew, as SIGHUP does
//   GET  /admin/v1/locks                    what is locked
//   POST /admin/v1/locks                    locks: {"scope","value","reason","expires_s"}; calls in flight
//   too DELETE /admin/v1/locks/ID               lifts
//   GET  /admin/v1/approvals                what waits for a second person
//   POST /admin/v1/explain                  {"identity","role","tool","arguments"} or {"request":ID}
//   POST /admin/v1/approvals/ID/approve     {"reason"}; and …/deny. Never by the one who asked
//
// Answers are JSON objects; a refusal is {"error":TEXT} with 400, 401, 403, 404, 409, 429 or 503.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "approvals/approvals.h"
#include "audit/audit.h"
#include "auth/callers.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "locks/locks.h"
#include "policy/current.h"
#include "throttle/limiter.h"
#include "tools/plugin_set.h"

namespace vmcp::admin {

struct Request {
  std::string_view method, path;
  std::string_view authorization;  // data()==nullptr: no such header
  std::size_t authorizations = 0;  // how many such headers there are
  std::string_view peer;
  std::string_view body = {};  // JSON, where one is needed
};

struct Answer {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// All referred to outlive the API.
struct Services {
  const auth::Callers& callers;
  const policy::CurrentPolicy& policy;
  locks::Locks& locks;
  approvals::Approvals& approvals;
  throttle::Limiter& limiter;
  audit::Audit& audit;
  tools::PluginSet& plugins;
  const Clock& clock;
  std::function<Result<void>()> reload;  // null: not here
  // What would become of that call of that caller; {"identity","role","tool","arguments"} or {"request"}.
  std::function<Result<Json>(const Json& question)> explain = {};  // null: not here
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
  struct Call {
    const Request& request;
    const Principal& who;
    std::string what;          // "plugins/disable", for the audit
    std::string arguments;     // a JSON object; empty: none
    bool only_closes = false;  // it can only stop calls: done also when it cannot be recorded
  };
  // `who`: as far as it is known, also of one who is refused.
  Result<void> admit(const Request& request, std::string_view area, Principal& who) const;
  Answer refuse(const Request& request, std::string_view area, const Principal& who, const Error& error);
  // `shown`: what the answer holds when it was done; `recorded` is false only for what `only_closes`.
  Answer change(const Call& call, const std::function<Result<void>()>& act,
                const std::function<Answer(bool recorded)>& shown);
  Answer on_plugins(const Request& request, const Principal& who, const std::vector<std::string>& path);
  Result<void> act_on_plugin(const Principal& who, const std::string& plugin, const std::string& verb);
  Answer list_plugins() const;
  Answer on_locks(const Request& request, const Principal& who, const std::vector<std::string>& path);
  Answer set_lock(const Request& request, const Principal& who);
  Answer list_locks() const;
  Answer on_explain(const Request& request, const Principal& who);
  Answer on_approvals(const Request& request, const Principal& who, const std::vector<std::string>& path);

  const Services services_;
  const Secret token_;
};

}  // namespace vmcp::admin
