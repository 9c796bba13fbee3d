#include "app/host.h"

#include "audit/browse.h"

#include "app/fetch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "store/small_file.h"

namespace vmcp::app {
namespace {

constexpr milliseconds kLongestRotation{10'000};

}  // namespace

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

Result<std::unique_ptr<Host>> Host::build(const config::Settings& settings, std::optional<DemoSettings> demo,
                                          const std::string& default_plugin_dir, Log& log) {
  std::unique_ptr<Host> host(new Host(settings, log));
  if (auto r = host->build_upstream(demo); !r) return r.error();
  if (auto r = host->build_guards(); !r) return r.error();
  if (auto r = host->build_tools(default_plugin_dir); !r) return r.error();
  host->build_front();
  if (auto r = host->build_admin(); !r) return r.error();
  return host;
}

Result<std::unique_ptr<vcenter::Fleet>> upstream_of(const config::Settings& settings,
                                                    std::optional<DemoSettings> demo,
                                                    std::unique_ptr<simulator::Simulator>& simulator,
                                                    Log& log, vcenter::OnAnswer on_answer) {
  vcenter::Settings upstream = vcenter_settings(settings.vcenter);
  upstream.on_answer = std::move(on_answer);
  if (demo) {
    simulator::Settings simulated;
    simulated.vms = demo->vms;
    simulated.port = demo->simulator_port;
    simulated.record_file = demo->record_file;
    if (demo->running.empty()) {
      simulator = std::make_unique<simulator::Simulator>(simulated, log);
      if (auto r = simulator->start(); !r) return r.error();
      upstream.hosts = {"127.0.0.1:" + std::to_string(simulator->port())};
    } else {
      upstream.hosts = {demo->running};
    }
    upstream.user = simulated.user;
    upstream.password = simulated.password;
    upstream.plain_http = true;
  }
  return vcenter::make_fleet(std::move(upstream), log);
}

Result<void> Host::build_upstream(std::optional<DemoSettings> demo) {
  slots_.emplace(throttle_settings(settings_.limits));
  auto fleet = upstream_of(settings_, demo, simulator_, log_,
                           [this](const std::string& vcenter, bool overloaded, milliseconds retry_after) {
                             heard_of(vcenter, overloaded, retry_after);
                           });
  if (!fleet) return fleet.error();
  fleet_ = std::move(*fleet);
  inventory_ = inventory::make_inventory(clock_);
  return {};
}

void Host::heard_of(const std::string& vcenter, bool overloaded, milliseconds retry_after) {
  if (!overloaded) return slots_->answered(vcenter);
  const std::size_t left = slots_->overloaded(vcenter, retry_after);
  if (left == 0) return;
  log_.warning(
      "vCenter has too much to do: fewer calls at the same time",
      {{"host", vcenter}, {"calls", std::to_string(left)}, {"rest_ms", std::to_string(retry_after.count())}});
}

Result<void> Host::build_guards() {
  auto policy = make_policy(settings_);
  if (!policy) return policy.error();
  policy_.emplace(std::move(*policy));
  limiter_.emplace(throttle_settings(settings_.limits), clock_, &log_);

  std::string state_path = settings_.state.dir.empty() ? store::default_state_dir() : settings_.state.dir;
  if (settings_.demo && settings_.state.dir.empty()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "vsphere-mcp-pro-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      return make_error(Code::unavailable, "No temporary directory for the demo's journal; set STATE_DIR.");
    demo_state_dir_ = pattern;
    state_path = pattern;
  }
  auto state = store::StateDir::open_first_free(state_path, settings_.state.instances);
  if (!state) return state.error();
  state_.emplace(std::move(*state));
  if (auto r = locks_.keep_in(state_->file("locks.json")); !r) return r;
  approvals_.emplace(approval_settings(settings_.policy), clock_);
  if (auto r = approvals_->keep_in(state_->file("approvals.json")); !r) return r;
  // A locked tool is left out of the list.
  locks_.on_change([this] { tell({plugin_host::Change::Kind::tools}); });
  auto key = state_->key(audit::kChainKey);
  if (!key) return key.error();
  auto signing_key = state_->key(audit::kSigningKey);
  if (!signing_key) return signing_key.error();
  audit::Settings audit = audit_settings(settings_.audit);
  audit.journal_file = state_->file(audit::kJournalFile);
  audit.chain_key = std::move(*key);
  audit.signing_key = std::move(*signing_key);
  auto opened = audit::Audit::open(std::move(audit), clock_, log_);
  if (!opened) return opened.error();
  if (auto unfinished = audit::find_unfinished(state_->file(audit::kJournalFile)))
    unfinished_ = std::move(*unfinished);
  else
    log_.error("what was left unfinished is not known", {{"why", unfinished.error().text}});
  audit_ = std::move(*opened);
  watcher_.emplace(tasks::Settings{}, *audit_, clock_, log_);
  auto rounds_key = state_->key("request-state");
  if (!rounds_key) return rounds_key.error();
  rounds_.emplace(std::move(*rounds_key), clock_);
  auto tasks = tasks::TaskStore::open(state_->file("tasks"), {}, clock_, log_);
  if (!tasks) return tasks.error();
  tasks_ = std::move(*tasks);
  return {};
}

std::vector<std::string> Host::roles(const policy::Policy& policy) const {
  std::vector<std::string> tools;
  for (const tools::ToolPtr& tool : catalog_.now()->registry.all()) tools.push_back(tool->name);
  return policy.roles(tools);
}

Result<auth::Authenticator> Host::callers_of(const config::Settings& settings,
                                             const policy::Policy& policy) const {
  auto made = auth::Authenticator::make(
      token_entries(settings.auth), settings.auth.enforce, settings.auth.anonymous_role,
      !settings.auth.authorization_servers.empty(), &clock_, certificate_entries(settings.auth));
  if (made && issuers_)
    made->accept_signed(
        std::make_shared<auth::TokenVerifier>(verifier_settings(settings, roles(policy)), *issuers_, clock_));
  return made;
}

void Host::fetch_keys() {
  // The demo lets its own three tokens in, and nobody else.
  if (settings_.auth.authorization_servers.empty() || settings_.demo) return;
  if (verifier_settings(settings_, {}).audiences.empty()) {
    log_.warning(
        "tokens of the authorization servers are not accepted: set PUBLIC_URL or AUTH_AUDIENCES, so that a "
        "token "
        "for another server is not taken for one of this");
    return;
  }
  issuers_ = std::make_unique<auth::Issuers>(
      settings_.auth.authorization_servers, [this](const std::string& url) { return fetch(url, log_); },
      auth::IssuerSettings{}, log_);
  // So that the first callers are not turned away; who cannot be reached now is asked again and again.
  issuers_->wait(milliseconds(5'000));
}

plugin_host::LoadSettings Host::load_settings(const config::Plugins& plugins) const {
  plugin_host::LoadSettings out =
      plugin_settings(plugins, default_plugin_dir_, state_->file("plugin-versions.json"));
  out.trust.remember = true;
  // A plugin tells of its changes itself; nobody listens before the front is built and after stop().
  out.on_change = [this](const plugin_host::Change& change) { tell(change); };
  return out;
}

Result<void> Host::build_tools(const std::string& default_plugin_dir) {
  default_plugin_dir_ = default_plugin_dir;
  if (auto r = switches_.keep_in(state_->file("plugin-switches.json")); !r) return r;
  plugins_.emplace(catalog_, switches_, fleet_->names().size() > 1, log_,
                   [this](plugin_host::Change::Kind kind) { tell({kind}); });
  if (auto r = plugins_->load(load_settings(settings_.plugins)); !r) return r;
  // Not an error: a plugin that is off now may come back while the server runs.
  for (const auto& [name, rule] : settings_.limits.tools)
    if (!catalog_.now()->registry.find(name))
      log_.warning("limits.tool names a tool that is not offered now", {{"tool", name}});
  fetch_keys();
  auto callers =
      callers_of(settings_, *policy_->now());  // which of two roles is the wider one shows only now
  if (!callers) return callers.error();
  callers_.emplace(std::move(*callers));
  return {};
}

Result<void> Host::reload_plugins(const config::Plugins& plugins) {
  return plugins_->load(load_settings(plugins));
}

Result<policy::PolicyPtr> Host::policy_of(const config::Settings& settings) const {
  return make_policy(settings);
}

void Host::admit(auth::Authenticator callers, policy::PolicyPtr policy) {
  callers_->replace(std::move(callers));
  const std::string before = policy_->now()->version();
  if (policy->version() == before) return;
  log_.info("policy reloaded", {{"version", policy->version()}, {"before", before}});
  policy_->publish(std::move(policy));
  tell({plugin_host::Change::Kind::tools});
}

// What an earlier process has begun and not recorded the end of. A task that vCenter was given is followed;
// of the rest only a person can find out what became of it.
void Host::settle(const std::vector<std::string>& going_on) {
  std::size_t followed = 0, unknown = 0;
  for (const audit::Unfinished& call : unfinished_) {
    if (std::find(going_on.begin(), going_on.end(), call.request_id) != going_on.end()) continue;
    const audit::Record record = call.unknown();
    const auto connection = call.task.empty() || call.host.empty() ? Result<vcenter::Connection*>(nullptr)
                                                                   : fleet_->find(call.host);
    if (connection && *connection != nullptr) {
      const auto ago = call.at ? clock_.wall() - *call.at : WallTime::duration(0);
      watcher_->follow(**connection, call.task, record,
                       clock_.now() - std::chrono::duration_cast<SteadyTime::duration>(ago));
      ++followed;
    } else {
      audit_->buffered(record);
      ++unknown;
    }
  }
  unfinished_.clear();
  if (followed + unknown > 0)
    log_.warning("calls were cut off when the server ended last",
                 {{"tasks_followed", std::to_string(followed)}, {"unknown", std::to_string(unknown)}});
}

void Host::rotate_audit() {
  const auto closed = audit_->rotate(kLongestRotation);
  if (!closed && closed.error().code != Code::conflict)
    log_.warning("the audit's segment was not closed", {{"why", closed.error().text}});
}

void Host::build_front() {
  objects_.emplace(watch_settings(settings_.vcenter), *fleet_, *inventory_, *policy_, log_);
  pipeline_.emplace(pipeline::Services{pipeline_settings(settings_.server), *callers_, *policy_, locks_,
                                       *approvals_, *limiter_, *slots_, catalog_, *fleet_, *inventory_,
                                       *audit_, *watcher_, *rounds_, *objects_, clock_, log_});
  background_.emplace(8, 256, log_);
  // A task may hold its thread and its slot for long: few, so that neither the rounds above nor other callers
  // wait for them.
  task_background_.emplace(4, 256, log_);
  endpoint_.emplace(mcp_settings(settings_, roles(*policy_->now())), *pipeline_, *background_,
                    *task_background_, *tasks_, log_);
  settle(endpoint_->go_on());
  listening_.store(&*endpoint_);
  health_.emplace([this] {
    admin::Readiness readiness;
    readiness.ready = audit_->healthy();
    if (!readiness.ready)
      readiness.reasons.push_back("the audit cannot be written; changing tools are refused");
    return readiness;
  });
  routes_.emplace(settings_.server.mcp_path,
                  http::OriginGuard(settings_.server.allowed_origins, settings_.server.allowed_hosts,
                                    is_loopback(settings_.server.host)),
                  *endpoint_, *pipeline_, *health_);
  server_ = std::make_unique<http::Server>(
      server_limits(settings_.server),
      [this](const http::HttpExchangePtr& exchange) { routes_->handle(exchange); }, log_);
  server_->on_drain([this] { endpoint_->drain(); });
}

// {"identity","role","tool","arguments"}, or {"request"}: then the rest is taken from the journal.
Result<Json> Host::explain(const Json& question) {
  const auto bad = [](const char* why) { return make_error(Code::invalid_argument, why); };
  Json asked = question;
  if (question.contains("request")) {
    if (!question["request"].is_string() || question.size() != 1)
      return bad("\"request\" must be the id of an audited call, and then nothing else is given.");
    const std::string id = question["request"].get<std::string>();
    audit_->flush(milliseconds(1'000));
    const auto found = audit::last_records(state_->file(audit::kJournalFile), {.request = id}, 1);
    if (!found) return found.error();
    const auto record = found->empty() ? Result<Json>(Json()) : parse_trusted_json(found->front(), 1u << 20);
    if (!record || !record->is_object() || !record->value("tool", Json()).is_string())
      return make_error(Code::not_found, "The journal holds no call of a tool under this request id.");
    asked = {{"identity", record->value("identity", "")},
             {"tool", (*record)["tool"]},
             {"role", record->value("role", Json("")).is_string() ? (*record)["role"] : Json("")},
             {"arguments", record->value("args", Json()).is_object() ? (*record)["args"] : Json::object()}};
  }
  for (const auto& [key, value] : asked.items()) {
    if (key == "arguments" ? !value.is_object() : !value.is_string())
      return bad("identity, role and tool must be texts, arguments an object.");
    if (key != "identity" && key != "role" && key != "tool" && key != "arguments")
      return bad("Only identity, role, tool and arguments are known, or request.");
  }
  if (!asked.contains("tool") || !asked.contains("role")) return bad("Name a tool and a role, or a request.");
  Json out = pipeline_->explain({{asked.value("identity", ""), asked["role"].get<std::string>()},
                                 asked["tool"].get<std::string>(),
                                 asked.value("arguments", Json::object())});
  if (question.contains("request"))
    out["of"] = {
        {"request", question["request"]},
        {"note", "judged by the policy and the state of now; what the audit masked was judged as masked"}};
  return out;
}

Result<void> Host::build_admin() {
  if (!settings_.admin.enabled) return {};
  const auto key = state_->key(store::kAdminKey);
  if (!key) return key.error();
  admin_api_.emplace(
      admin::Services{*callers_, *policy_, locks_, *approvals_, *limiter_, *audit_, *plugins_, clock_,
                      [this] {
                        return reload_ ? reload_()
                                       : make_error(Code::unavailable, "There is nothing to reload.");
                      },
                      [this](const Json& question) { return explain(question); }},
      *key);
  admin_routes_.emplace(http::OriginGuard({}, {}, true), *admin_api_, *health_);
  admin_server_ = std::make_unique<http::Server>(
      admin_limits(), [this](const http::HttpExchangePtr& exchange) { admin_routes_->handle(exchange); },
      log_);
  return {};
}

// Where it listens is told to the commands by a file, so that nobody has to choose a port.
Result<void> Host::listen_for_operator() {
  if (!admin_server_) return {};
  if (auto r = admin_server_->start(settings_.admin.host, settings_.admin.port); !r)
    return make_error(r.error().code, "The admin listener: " + r.error().text + " (admin.host, admin.port)");
  const std::string host =
      settings_.admin.host.find(':') == std::string::npos || settings_.admin.host.starts_with('[')
          ? settings_.admin.host
          : "[" + settings_.admin.host + "]";
  const std::string url = "http://" + host + ":" + std::to_string(admin_server_->port());
  log_.info("admin listener", {{"url", url}, {"state_dir", state_->path()}});
  return store::replace_file(state_->file(store::kAdminFile), dump_json(Json{{"url", url}}) + "\n");
}

void Host::tell(const plugin_host::Change& change) const {
  if (mcp::Endpoint* const endpoint = listening_.load()) endpoint->changed(change);
}

Result<void> Host::listen() {
  const config::Server& server = settings_.server;
  if (!server.tls_certificate.empty()) {
    if (auto r = server_->use_tls({server.tls_certificate, server.tls_key, server.tls_client_ca}); !r)
      return r;
  }
  if (auto r = server_->start(settings_.server.host, settings_.server.port); !r) return r;
  return listen_for_operator();
}
std::uint16_t Host::port() const {
  return server_->port();
}

bool Host::stop() {
  if (stopped_) return true;
  stopped_ = true;
  if (admin_server_ && admin_server_->port() != 0) {
    ::unlink(state_->file(store::kAdminFile).c_str());
    // A plugin that is just being loaded there may take longer than the grace.
    calls_hang_ = !admin_server_->stop(settings_.server.shutdown_grace);
  }
  calls_hang_ = server_->stats().stuck > 0 || calls_hang_;
  listening_.store(nullptr);
  const bool drained = server_->stop(settings_.server.shutdown_grace);
  endpoint_->drain();  // for stdio; over HTTP it was told when the stop began
  for (auto* background : {&*background_, &*task_background_})
    calls_hang_ = !background->stop(milliseconds(2'000)) || calls_hang_;
  objects_->stop();
  watcher_.reset();
  const bool flushed = audit_->flush(milliseconds(5'000));
  if (!flushed) log_.error("the journal could not be flushed");
  fleet_->close();
  return drained && flushed;
}

Host::~Host() {
  if (server_) stop();
  if (!demo_state_dir_.empty()) {
    audit_.reset();
    state_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(demo_state_dir_, ignored);
  }
}

}  // namespace vmcp::app
