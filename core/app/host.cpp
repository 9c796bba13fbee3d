#include "app/host.h"

#include "app/fetch.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "store/small_file.h"

namespace vmcp::app {

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
  auto authenticator =
      auth::Authenticator::make(token_entries(settings_.auth), settings_.auth.enforce,
                                settings_.auth.anonymous_role, !settings_.auth.authorization_servers.empty());
  if (!authenticator) return authenticator.error();
  authenticator_.emplace(std::move(*authenticator));
  auto policy = policy::Policy::make(role_rules(settings_.auth), settings_.policy.read_only, "1");
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
  auto key = state_->key("audit-chain");
  if (!key) return key.error();
  audit::Settings audit_settings;
  audit_settings.journal_file = state_->file("journal.jsonl");
  audit_settings.chain_key = std::move(*key);
  audit_settings.view_path = settings_.audit.log_path;
  audit_settings.sync_timeout = settings_.audit.sync_timeout;
  audit_settings.max_args_bytes = settings_.audit.max_args_bytes;
  auto opened = audit::Audit::open(std::move(audit_settings), clock_, log_);
  if (!opened) return opened.error();
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

std::vector<std::string> Host::roles() const {
  std::vector<std::string> tools;
  for (const tools::ToolPtr& tool : catalog_.now()->registry.all()) tools.push_back(tool->name);
  return policy_->roles(tools);
}

void Host::accept_signed_tokens() {
  // The demo lets its own three tokens in, and nobody else.
  if (settings_.auth.authorization_servers.empty() || settings_.demo) return;
  auth::VerifierSettings verifier = verifier_settings(settings_, roles());
  if (verifier.audiences.empty()) {
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
  authenticator_->accept_signed(
      std::make_shared<auth::TokenVerifier>(std::move(verifier), *issuers_, clock_));
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
  accept_signed_tokens();  // which of two roles is the wider one shows only now
  return {};
}

Result<void> Host::reload_plugins(const config::Plugins& plugins) {
  return plugins_->load(load_settings(plugins));
}

void Host::build_front() {
  objects_.emplace(watch_settings(settings_.vcenter), *fleet_, *inventory_, *policy_, log_);
  pipeline_.emplace(pipeline::Services{pipeline_settings(settings_.server), *authenticator_, *policy_,
                                       *limiter_, *slots_, catalog_, *fleet_, *inventory_, *audit_, *watcher_,
                                       *rounds_, *objects_, clock_, log_});
  background_.emplace(8, 256, log_);
  // A task may hold its thread and its slot for long: few, so that neither the rounds above nor other callers
  // wait for them.
  task_background_.emplace(4, 256, log_);
  endpoint_.emplace(mcp_settings(settings_, roles()), *pipeline_, *background_, *task_background_, *tasks_,
                    log_);
  endpoint_->go_on();
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

Result<void> Host::build_admin() {
  if (!settings_.admin.enabled) return {};
  const auto key = state_->key(store::kAdminKey);
  if (!key) return key.error();
  admin_api_.emplace(admin::Services{*authenticator_, *policy_, *limiter_, *audit_, *plugins_, clock_,
                                     [this] {
                                       return reload_ ? reload_()
                                                      : make_error(Code::unavailable,
                                                                   "There is nothing to reload.");
                                     }},
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
