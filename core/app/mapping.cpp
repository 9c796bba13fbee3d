#include "app/mapping.h"

#include <filesystem>

#include "store/state_dir.h"

namespace vmcp::app {

vcenter::Settings vcenter_settings(const config::Vcenter& c) {
  vcenter::Settings s;
  if (!c.host.empty()) s.hosts.push_back(c.host);
  s.hosts.insert(s.hosts.end(), c.allowed_hosts.begin(), c.allowed_hosts.end());
  s.user = c.user;
  s.password = c.password;
  s.mode = c.api_mode == config::ApiMode::rest ? vcenter::ApiMode::rest : vcenter::ApiMode::api;
  s.verify_tls = !c.insecure;
  s.ca_bundle = c.ca_bundle;
  s.connect_timeout = c.connect_timeout;
  s.timeout = c.timeout;
  s.retries = c.retries;
  s.backoff_s = c.backoff_s;
  s.max_connections = c.max_connections;
  return s;
}

http::ServerLimits server_limits(const config::Server& c) {
  http::ServerLimits l;
  l.workers = c.workers;
  l.max_workers = c.max_workers;
  // The pipeline closes a tool after a few; what is left must carry the other tools.
  l.max_stuck_workers = c.max_workers / 2;
  l.max_connections = c.max_connections;
  l.max_connections_per_address = c.max_connections_per_address;
  l.max_head_bytes = c.max_head_bytes;
  l.max_body_bytes = c.max_body_bytes;
  l.head_timeout = c.head_timeout;
  l.body_timeout = c.body_timeout;
  l.idle_timeout = c.idle_timeout;
  l.write_timeout = c.write_timeout;
  l.max_stream_buffer_bytes = c.max_stream_buffer_bytes;
  return l;
}

http::ServerLimits admin_limits() {
  http::ServerLimits l;
  l.workers = 2;
  l.max_workers = 8;
  l.max_connections = 64;
  l.max_connections_per_address = 64;
  l.max_body_bytes = 64 * 1024;
  l.max_buffered_bytes = 4 * 1024 * 1024;
  return l;
}

approvals::Settings approval_settings(const config::Policy& c) {
  approvals::Settings s;
  s.life = c.approval_life;
  return s;
}

audit::Settings audit_settings(const config::Audit& c) {
  audit::Settings s;
  s.view_path = c.log_path;
  s.sync_timeout = c.sync_timeout;
  s.max_args_bytes = c.max_args_bytes;
  s.segment_bytes = std::uint64_t{c.segment_MiB} << 20;
  s.segment_age = std::chrono::hours(c.segment_hours);
  s.keep_days = static_cast<std::int64_t>(c.keep_days);
  return s;
}
namespace {

// What a name's own rule leaves open is as for all others of its kind.
throttle::Rates rates_of(const std::map<std::string, config::LimitRule>& rules,
                         const throttle::Rate& others) {
  throttle::Rates out;
  for (const auto& [name, rule] : rules)
    out[name] = {rule.rps.value_or(others.per_second), rule.burst.value_or(others.burst)};
  return out;
}

}  // namespace

throttle::Settings throttle_settings(const config::Limits& c) {
  throttle::Settings s;
  s.enabled = c.enabled;
  s.identity = {c.identity_rps, c.identity_burst};
  s.address = {c.address_rps, c.address_burst};
  s.role = {c.role_rps, c.role_burst};
  s.tool = {c.tool_rps, c.tool_burst};
  s.target = {c.target_rps, c.target_burst};
  s.vcenter = {c.vcenter_rps, c.vcenter_burst};
  s.identities = rates_of(c.identities, s.identity);
  s.roles = rates_of(c.roles, s.role);
  s.tools = rates_of(c.tools, s.tool);
  s.vcenters = rates_of(c.vcenters, s.vcenter);
  for (const auto& [name, rule] : c.tools)
    if (rule.cost) s.tool_costs[name] = *rule.cost;
  s.identical_calls = static_cast<std::uint32_t>(c.identical_calls);
  s.identical_window = c.identical_window;
  s.shadow = c.shadow;
  s.max_addresses = c.max_addresses;
  s.max_identities = c.max_identities;
  s.tool_parallel = c.tool_parallel;
  s.vcenter_parallel = c.vcenter_parallel;
  s.queue_per_slot = c.queue_per_slot;
  return s;
}

namespace {
// Of a text that config/ let through. What is none fits no certificate.
auth::CertificateMatch match_of(const std::string& text) {
  if (text.empty()) return {};
  auto match = auth::read_match(text);
  return match ? std::move(*match) : auth::CertificateMatch{auth::CertificateMatch::Kind::sha256, {}};
}
}  // namespace

std::vector<auth::TokenEntry> token_entries(const config::Auth& c) {
  std::vector<auth::TokenEntry> out;
  for (const config::Token& t : c.tokens)
    out.push_back({t.token, t.hash, t.name, t.role, t.not_before, t.expires, match_of(t.certificate)});
  return out;
}

std::vector<auth::CertificateEntry> certificate_entries(const config::Auth& c) {
  std::vector<auth::CertificateEntry> out;
  for (const config::Certificate& one : c.certificates) {
    auth::CertificateMatch match;
    if (!one.subject.empty()) match = {auth::CertificateMatch::Kind::subject, one.subject};
    if (!one.san.empty()) match = auth::match_name(one.san);
    if (!one.sha256.empty()) match = match_of(one.sha256);
    out.push_back({std::move(match), one.name, one.role});
  }
  return out;
}

auth::VerifierSettings verifier_settings(const config::Settings& c, std::vector<std::string> roles) {
  auth::VerifierSettings s;
  s.audiences = c.auth.audiences;
  if (s.audiences.empty() && !c.server.public_url.empty())
    s.audiences.push_back(c.server.public_url + c.server.mcp_path);
  s.roles = std::move(roles);
  s.role_claims = c.auth.role_claims;
  s.claim_roles.insert(c.auth.claim_roles.begin(), c.auth.claim_roles.end());
  s.leeway = c.auth.clock_skew;
  return s;
}

std::map<std::string, policy::RoleRules> role_rules(const config::Auth& c) {
  std::map<std::string, policy::RoleRules> out;
  if (c.default_roles) out = policy::default_roles();
  for (const auto& [name, role] : c.roles) out[name] = {role.allow, role.deny, role.inherits};
  return out;
}

std::string seen_versions_file(const config::State& c) {
  return (c.dir.empty() ? store::default_state_dir() : c.dir) + "/plugin-versions.json";
}

plugin_host::LoadSettings plugin_settings(const config::Plugins& c, const std::string& default_dir,
                                          const std::string& seen_file) {
  plugin_host::LoadSettings s;
  s.directories = {c.dir.empty() ? default_dir : c.dir};
  s.only_chosen = true;  // config's list is whole
  s.only_first_party = c.safe_mode;
  using Mode = plugin_host::TrustSettings::Mode;
  s.trust.mode = c.trust == config::PluginTrust::pinned ? Mode::pinned
                 : c.trust == config::PluginTrust::dev  ? Mode::dev
                                                        : Mode::signatures;
  s.trust.program_directory = default_dir;
  s.trust.keys = c.keys;
  s.trust.revoked = c.revoked;
  s.trust.seen_file = seen_file;
  // Beside the program: PREFIX/lib/vsphere-mcp-pro/plugins and PREFIX/bin.
  s.apart.process.runner =
      (std::filesystem::path(default_dir) / "../../../bin/vsphere-mcp-runner").lexically_normal().string();
  s.apart.process.memory_bytes = std::uint64_t{c.memory_MiB} << 20;
  s.apart.process.sandbox = c.sandbox == config::Sandbox::off ? plugin_host::child::Sandbox::off
                            : c.sandbox == config::Sandbox::best_effort
                                ? plugin_host::child::Sandbox::best_effort
                                : plugin_host::child::Sandbox::required;
  for (const config::Plugin& p : c.list) {
    plugin_host::Choice choice;
    choice.id = p.id;
    choice.enabled = p.enabled;
    choice.required = p.required;
    choice.in_process = p.isolation == config::Isolation::inprocess;
    choice.prefix = p.prefix;
    choice.tools = p.tools;
    choice.sha256 = p.sha256;
    choice.allow_downgrade = p.allow_downgrade;
    choice.config = p.config;
    s.choices.push_back(std::move(choice));
  }
  return s;
}

mcp::Settings mcp_settings(const config::Settings& all, std::vector<std::string> roles) {
  const config::Server& c = all.server;
  mcp::Settings s;
  s.server_name = c.name;
  s.server_version = VMCP_VERSION;
  s.max_body_bytes = c.max_body_bytes;
  s.resumable_answers = c.resumable_answers;
  s.path = c.mcp_path;
  s.public_url = c.public_url;
  s.tls = !c.tls_certificate.empty();
  s.authorization_servers = all.auth.authorization_servers;
  s.scopes = std::move(roles);
  s.instructions =
      "Operates VMware vCenter. Objects are named by MoRef, exact name or inventory path. Changing tools "
      "take dry_run=true to show what would happen. Some of them refuse without confirm=true, to which a "
      "person must have agreed; the others act at once, also where a guest loses unsaved data. The "
      "description of a tool's confirm argument says which it is.";
  return s;
}

pipeline::WatchSettings watch_settings(const config::Vcenter& c) {
  pipeline::WatchSettings s;
  s.interval = c.watch_interval;
  return s;
}

pipeline::Settings pipeline_settings(const config::Server& c) {
  pipeline::Settings s;
  s.tool_deadline = c.tool_deadline;
  s.verbose_default = c.verbose_default;
  return s;
}

}  // namespace vmcp::app
