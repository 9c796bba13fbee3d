#include "admin/api.h"

#include <optional>

#include "base/bearer.h"
#include "base/crypto.h"

namespace vmcp::admin {
namespace {

constexpr std::string_view kRoot = "/admin/v1/";
constexpr std::size_t kMaxSegment = 200;
constexpr std::size_t kMaxBody = 16u << 10;
constexpr std::int64_t kMaxLock_s = 10LL * 365 * 24 * 3600;

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

// Of a part of the API that has no such path.
Answer nothing_there() {
  return {0, {}};
}

std::optional<std::string> text_member(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return std::string();
  return it->is_string() ? std::optional(it->get<std::string>()) : std::nullopt;
}

// What somebody asks to be locked. The lock itself is checked by who keeps it.
Result<locks::Lock> lock_asked(std::string_view body, WallTime now) {
  const auto bad = [](std::string text) { return make_error(Code::invalid_argument, std::move(text)); };
  JsonLimits limits;
  limits.max_bytes = kMaxBody;
  limits.max_depth = 2;
  limits.max_values = 16;
  const auto json = parse_json(body, limits);
  if (!json) return bad("The body must be a JSON object: " + json.error().text);
  if (!json->is_object()) return bad("The body must be a JSON object.");
  for (const auto& [key, value] : json->items())
    if (key != "scope" && key != "value" && key != "reason" && key != "expires_s")
      return bad("'" + key.substr(0, 64) + "' is not known; scope, value, reason and expires_s are.");
  const auto scope = text_member(*json, "scope"), value = text_member(*json, "value"),
             reason = text_member(*json, "reason");
  const auto kind = scope ? locks::scope_of(*scope) : std::nullopt;
  if (!kind) return bad("scope must be identity, role, tool, target or everything.");
  if (!value || !reason) return bad("value and reason must be texts.");
  locks::Lock out;
  out.scope = *kind;
  out.value = *value;
  out.reason = *reason;
  if (const auto it = json->find("expires_s"); it != json->end()) {
    if (!it->is_number_integer() || *it < 1 || *it > kMaxLock_s)
      return bad("expires_s must be a whole number of seconds, from 1 to ten years.");
    out.expires = now + std::chrono::seconds(it->get<std::int64_t>());
  }
  return out;
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
  const auto principal = services_.callers.now()->authenticate(request.authorization, request.authorizations);
  if (!principal) return principal.error();
  who = **principal;
  if (auto r = services_.locks.administrator(who); !r) return r;
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
    return refusal(make_error(
        Code::not_found,
        "There is no such resource; see /admin/v1/plugins, /admin/v1/locks and /admin/v1/approvals."));
  };
  if (!request.path.starts_with(kRoot)) return not_here();
  const std::vector<std::string> path = segments_of(request.path.substr(kRoot.size()));
  const std::string area = path.empty() ? std::string() : path[0];
  if (area != "plugins" && area != "reload" && area != "locks" && area != "approvals" && area != "explain")
    return not_here();

  Principal who;
  // Loading them anew is a thing that is done to plugins.
  const std::string rights = area == "reload" ? "plugins" : area;
  if (auto r = admit(request, rights, who); !r) return refuse(request, area, who, r.error());
  Answer out = area == "locks"       ? on_locks(request, who, path)
               : area == "approvals" ? on_approvals(request, who, path)
               : area == "explain"   ? (path.size() == 1 ? on_explain(request, who) : nothing_there())
                                     : on_plugins(request, who, path);
  return out.status == 0 ? not_here() : out;
}

Answer Api::on_plugins(const Request& request, const Principal& who, const std::vector<std::string>& path) {
  const bool post = request.method == "POST";
  if (!post && request.method != "GET")
    return refusal(make_error(Code::malformed, "Only GET and POST are used here."));
  if (!post) return path.size() == 1 && path[0] == "plugins" ? list_plugins() : nothing_there();
  const auto shown = [this](bool) { return list_plugins(); };
  if (path[0] == "reload" && path.size() == 1) {
    if (!services_.reload) return nothing_there();
    return change({request, who, "reload", {}}, services_.reload, shown);
  }
  if (path.size() != 3) return nothing_there();
  const std::string& verb = path[2];
  if (verb != "enable" && verb != "disable" && verb != "rollback") return nothing_there();
  const Call call{request, who, "plugins/" + verb, dump_json(Json{{"plugin", path[1]}})};
  return change(
      call, [&] { return act_on_plugin(who, path[1], verb); }, shown);
}

Result<void> Api::act_on_plugin(const Principal& who, const std::string& plugin, const std::string& verb) {
  if (verb == "enable") return services_.plugins.enable(plugin);
  if (verb == "rollback") return services_.plugins.roll_back(plugin);
  return services_.plugins.disable(plugin, who.identity, services_.clock.wall());
}

Answer Api::change(const Call& call, const std::function<Result<void>()>& act,
                   const std::function<Answer(bool recorded)>& shown) {
  const std::string id = random_id(), method = "admin/" + call.what;
  const SteadyTime begun = services_.clock.now();
  audit::Record record;
  record.event = audit::Event::intent;
  record.request_id = id;
  record.identity = call.who.identity;
  record.role = call.who.role;
  record.method = method;
  record.args_json = call.arguments;
  record.peer = call.request.peer;
  record.step = "admin";
  record.ok = true;
  const auto begun_recorded = services_.audit.durable(record);
  if (!begun_recorded && !call.only_closes) return refusal(begun_recorded.error());

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
  Answer out = shown(begun_recorded.ok() && recorded.ok());
  if (recorded || call.only_closes) return out;
  // It happened; whoever reads this must not take it for undone.
  out.body =
      dump_json(Json{{"error",
                      "It was done, but the audit of it cannot be written. Look at the state before you "
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

Answer Api::on_locks(const Request& request, const Principal& who, const std::vector<std::string>& path) {
  if (path.size() == 1 && request.method == "GET") return list_locks();
  if (path.size() == 1 && request.method == "POST") return set_lock(request, who);
  if (path.size() == 2 && request.method == "DELETE")
    return change(
        {request, who, "locks/lift", dump_json(Json{{"lock", path[1]}})},
        [&] { return services_.locks.lift(path[1]); }, [this](bool) { return list_locks(); });
  return nothing_there();
}

Answer Api::set_lock(const Request& request, const Principal& who) {
  auto lock = lock_asked(request.body, services_.clock.wall());
  if (!lock) return refusal(lock.error());
  lock->by = who.identity;
  if (auto r = locks::check_lock(*lock); !r) return refusal(r.error());
  Json arguments{{"scope", locks::scope_name(lock->scope)}, {"value", lock->value}, {"reason", lock->reason}};
  if (lock->expires) arguments["expires"] = iso8601(*lock->expires);
  Json made;
  const auto act = [&]() -> Result<void> {
    auto set = services_.locks.set(*lock);
    if (!set) return set.error();
    made = locks::lock_json(*set);
    return {};
  };
  return change({request, who, "locks/set", dump_json(arguments), true}, act, [&](bool recorded) {
    return Answer{200, dump_json(Json{{"lock", std::move(made)}, {"recorded", recorded}})};
  });
}

Answer Api::list_locks() const {
  Json all = Json::array();
  for (const locks::Lock& lock : services_.locks.all()) all.push_back(locks::lock_json(lock));
  return {200, dump_json(Json{{"locks", std::move(all)}})};
}

// A look through another's eyes: recorded, though nothing is changed.
Answer Api::on_explain(const Request& request, const Principal& who) {
  if (request.method != "POST" || !services_.explain) return nothing_there();
  const SteadyTime begun = services_.clock.now();
  const auto question = parse_json(request.body);
  if (!question || !question->is_object())
    return refusal(
        make_error(Code::malformed,
                   "The body must be {\"identity\",\"role\",\"tool\",\"arguments\"} or {\"request\":ID}."));
  const auto explained = services_.explain(*question);
  const std::string id = random_id(), arguments = dump_json(*question);
  audit::Record record;
  record.event = audit::Event::outcome;
  record.request_id = id;
  record.identity = who.identity;
  record.role = who.role;
  record.method = "admin/explain";
  record.args_json = arguments;
  record.peer = request.peer;
  record.step = "admin";
  record.ok = explained.ok();
  if (!explained) {
    record.error = explained.error().text;
    record.code = code_name(explained.error().code);
  }
  record.duration_ms = std::chrono::duration_cast<milliseconds>(services_.clock.now() - begun).count();
  services_.audit.buffered(record);
  if (!explained) return refusal(explained.error());
  return {200, dump_json(*explained)};
}

Answer Api::on_approvals(const Request& request, const Principal& who, const std::vector<std::string>& path) {
  if (path.size() == 1 && request.method == "GET") {
    Json all = Json::array();
    for (const auto& one : services_.approvals.all()) all.push_back(approvals::approval_json(one, false));
    return {200, dump_json(Json{{"approvals", std::move(all)}})};
  }
  const bool decides =
      path.size() == 3 && request.method == "POST" && (path[2] == "approve" || path[2] == "deny");
  if (!decides) return nothing_there();
  std::string reason;
  if (!request.body.empty()) {
    const auto json = parse_trusted_json(request.body, 64u << 10);
    if (!json || !json->is_object() || json->size() > 1 || (json->size() == 1 && !json->contains("reason")) ||
        !json->value("reason", Json("")).is_string())
      return refusal(make_error(Code::malformed, "The body must be {\"reason\":TEXT}, or nothing."));
    reason = json->value("reason", "");
  }
  Json made;
  const auto act = [&]() -> Result<void> {
    auto decided = services_.approvals.decide(path[1], path[2] == "approve", who.identity, reason);
    if (!decided) return decided.error();
    made = approvals::approval_json(*decided, false);
    return {};
  };
  return change(
      {request, who, "approvals/" + path[2], dump_json(Json{{"approval", path[1]}, {"reason", reason}})}, act,
      [&](bool) {
        return Answer{200, dump_json(Json{{"approval", std::move(made)}})};
      });
}

}  // namespace vmcp::admin
