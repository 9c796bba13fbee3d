#include "admin/api.h"

#include "base/bearer.h"
#include "base/crypto.h"

namespace vmcp::admin {
namespace {

constexpr std::string_view kRoot = "/admin/v1/";
constexpr std::size_t kMaxSegment = 200;

int status_of(Code code) {
  switch (code) {
    case Code::unauthenticated:
      return 401;
    case Code::denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::conflict:
      return 409;
    case Code::throttled:
      return 429;
    case Code::unavailable:
      return 503;
    case Code::internal:
      return 500;
    default:
      return 400;
  }
}

Answer refusal(const Error& error) {
  Answer out;
  out.status = status_of(error.code);
  out.body = dump_json(Json{{"error", error.text}});
  if (out.status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after_ms > 0)
    out.headers.emplace_back("Retry-After", std::to_string((error.retry_after_ms + 999) / 1000));
  return out;
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty() && out.size() < 8) {
    const std::size_t slash = path.find('/');
    out.emplace_back(path.substr(0, std::min(slash, kMaxSegment)));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return out;
}

Json plugin_json(const plugin_host::Loaded& loaded, const std::pair<std::string, std::string>& before) {
  const bool live = loaded.plugin != nullptr;
  Json out{{"id", live ? loaded.plugin->id() : loaded.choice.id},
           {"name", loaded.name},
           {"state", live                  ? "live"
                     : loaded.switched_off ? "off"
                                           : "not loaded"},
           {"isolation", loaded.choice.in_process ? "inprocess" : "process"}};
  if (!live) {
    out["reason"] = loaded.reason;
    return out;
  }
  out["version"] = loaded.plugin->version();
  out["generation"] = loaded.generation;
  out["trust"] = loaded.trust.text();
  if (loaded.library) out["sha256"] = loaded.library->sha256();
  out["tools"] = Json::array();
  for (const plugin_host::Declaration& tool : loaded.plugin->tools())
    out["tools"].push_back(loaded.choice.prefix + tool.name);
  if (!before.first.empty()) out["before"] = {{"version", before.first}, {"sha256", before.second}};
  return out;
}

}  // namespace

std::string operator_token(const Secret& key) {
  return to_hex(reinterpret_cast<const unsigned char*>(key.reveal().data()), key.reveal().size());
}

struct Api::Call {
  const Request& request;
  Principal who;
  std::string what;    // "plugins/disable", for the audit
  std::string plugin;  // empty: none
  std::string verb;
};

Result<void> Api::admit(const Request& request, std::string_view area, Principal& who) const {
  // Before the limits: clients that come through a proxy here have the operator's address, and when they are
  // too many he must still get in.
  if (request.authorizations == 1 &&
      equal_constant_time(bearer_token(request.authorization), token_.reveal())) {
    who = {kOperator, "operator"};
    return {};
  }
  if (auto r = services_.limiter.take_address(request.peer); !r) return r.error();
  if (request.authorization.data() == nullptr)
    return make_error(
        Code::unauthenticated,
        "Send a credential as \"Authorization: Bearer TOKEN\": the operator's own (keys/admin in the "
        "server's state directory, in hex), or one whose role may do this.");
  const auto principal = services_.authenticator.authenticate(request.authorization, request.authorizations);
  if (!principal) return principal.error();
  who = **principal;
  const policy::Decision decision = services_.policy.now()->may_administer(who, area);
  if (decision.allowed) return {};
  Error error = make_error(Code::denied, decision.reason);
  error.rule = decision.rule;
  return error;
}

Answer Api::refuse(const Request& request, std::string_view area, const Principal& who, const Error& error) {
  const std::string id = random_id(), method = "admin/" + std::string(area);
  audit::Record record;
  record.request_id = id;
  record.identity = who.identity;
  record.role = who.role;
  record.method = method;
  record.peer = request.peer;
  record.step = "admin";
  record.rule = error.rule;
  record.error = error.text;
  record.code = code_name(error.code);
  services_.audit.buffered(record);
  return refusal(error);
}

Answer Api::handle(const Request& request) {
  const auto not_here = [&] {
    return refusal(make_error(Code::not_found, "There is no such resource; see /admin/v1/plugins."));
  };
  if (!request.path.starts_with(kRoot)) return not_here();
  const std::vector<std::string> path = segments_of(request.path.substr(kRoot.size()));
  const std::string area = path.empty() ? std::string() : path[0];
  if (area != "plugins" && area != "reload") return not_here();

  Principal who;
  // Loading them anew is a thing that is done to plugins.
  if (auto r = admit(request, "plugins", who); !r) return refuse(request, area, who, r.error());
  const bool post = request.method == "POST";
  if (!post && request.method != "GET")
    return refusal(make_error(Code::malformed, "Only GET and POST are used here."));
  if (!post) return path.size() == 1 && area == "plugins" ? list_plugins() : not_here();
  if (area == "reload" && path.size() == 1) {
    if (!services_.reload) return not_here();
    return change({request, who, "reload", {}, {}}, services_.reload);
  }
  if (path.size() != 3) return not_here();
  const std::string& verb = path[2];
  if (verb != "enable" && verb != "disable" && verb != "rollback") return not_here();
  const Call call{request, who, "plugins/" + verb, path[1], verb};
  return change(call, [&] { return act_on_plugin(call); });
}

Result<void> Api::act_on_plugin(const Call& call) {
  if (call.verb == "enable") return services_.plugins.enable(call.plugin);
  if (call.verb == "rollback") return services_.plugins.roll_back(call.plugin);
  return services_.plugins.disable(call.plugin, call.who.identity, services_.clock.wall());
}

Answer Api::change(const Call& call, const std::function<Result<void>()>& act) {
  const std::string id = random_id(), method = "admin/" + call.what;
  const std::string arguments = call.plugin.empty() ? "" : dump_json(Json{{"plugin", call.plugin}});
  const SteadyTime begun = services_.clock.now();
  audit::Record record;
  record.event = audit::Event::intent;
  record.request_id = id;
  record.identity = call.who.identity;
  record.role = call.who.role;
  record.method = method;
  record.args_json = arguments;
  record.peer = call.request.peer;
  record.step = "admin";
  record.ok = true;
  if (auto r = services_.audit.durable(record); !r) return refusal(r.error());

  const Result<void> done = act();
  record.event = audit::Event::outcome;
  record.ok = done.ok();
  record.duration_ms = std::chrono::duration_cast<milliseconds>(services_.clock.now() - begun).count();
  if (!done) {
    record.error = done.error().text;
    record.code = code_name(done.error().code);
  }
  const auto recorded = services_.audit.durable(record);
  if (!done) return refusal(done.error());
  Answer out = list_plugins();
  if (recorded) return out;
  // It happened; whoever reads this must not take it for undone.
  out.body =
      dump_json(Json{{"error",
                      "It was done, but the audit of it cannot be written. Look at the plugins before you "
                      "repeat it."}});
  out.status = 500;
  return out;
}

Answer Api::list_plugins() const {
  Json all = Json::array();
  for (const plugin_host::Loaded& loaded : services_.plugins.all())
    all.push_back(plugin_json(loaded, services_.plugins.before(loaded.name)));
  return {200, dump_json(Json{{"plugins", std::move(all)}})};
}

}  // namespace vmcp::admin
