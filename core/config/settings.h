// What a site configured, as plain values: one struct per consumer. config/ may not see its consumers, so
// app/ hands each module its own slice in that module's own types.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"

namespace vmcp::config {

enum class ApiMode { api, rest };
enum class Isolation { inprocess, process };
enum class Sandbox { required, best_effort, off };
enum class PluginTrust { pinned, signatures, dev };

struct Vcenter {
  std::string host;  // VCENTER_HOST: host or host:port; empty only in a demo
  std::vector<std::string>
      allowed_hosts;  // ALLOWED_VCENTER_HOSTS: further ones, without `host`, no duplicates
  std::string user;
  Secret password;
  ApiMode api_mode = ApiMode::api;
  bool insecure = false;   // true: TLS certificates are not verified
  std::string ca_bundle;   // PEM file, readable when the settings were loaded; empty = the system's
  milliseconds timeout{};  // one request
  milliseconds connect_timeout{};
  int retries = 0;
  double backoff_s = 0;
  std::size_t max_connections = 0;
  milliseconds watch_interval{};  // between two looks at an object that somebody subscribed to
};

struct Server {
  std::string name;
  std::string host;  // address to listen on
  std::uint16_t port = 0;
  std::string mcp_path;
  bool resumable_answers = false;
  std::string public_url;  // "https://mcp.example.org", no slash at the end; empty: what the Host header says
  std::vector<std::string> allowed_origins;  // "https://app.example"; empty: no browser origin but loopback
  std::vector<std::string> allowed_hosts;  // Host header values; empty: loopback names on loopback, else any
  bool verbose_default = false;
  milliseconds tool_deadline{};
  milliseconds shutdown_grace{};
  std::size_t workers = 0;
  std::size_t max_workers = 0;
  std::size_t max_connections = 0;
  std::size_t max_connections_per_address = 0;
  std::size_t max_head_bytes = 0;
  std::size_t max_body_bytes = 0;
  milliseconds head_timeout{};
  milliseconds body_timeout{};
  milliseconds idle_timeout{};
  milliseconds write_timeout{};
  std::size_t max_stream_buffer_bytes = 0;
  std::string tls_certificate;  // PEM files; empty: plain HTTP
  std::string tls_key;          // set if and only if tls_certificate is
  std::string tls_client_ca;    // empty: clients need no certificate
};

// Exactly one of `token` and `hash` is set.
struct Token {
  Secret token;
  std::string hash;  // "sha256:" + 64 lower-case hex, as `hash-token` prints it
  std::string name;  // for limits and audit; empty: auth/ derives one from the hash
  std::string role;
  std::optional<WallTime> not_before, expires;
  std::string certificate;  // that the connection must have; empty: none
};

// A client that shows a certificate instead of a token. Exactly one of the first three is set.
struct Certificate {
  std::string subject;  // RFC 2253
  std::string san;
  std::string sha256;  // hex digits
  std::string name, role;
};

struct Role {
  std::vector<std::string> allow;  // globs on tool names
  std::vector<std::string> deny;
  std::vector<std::string> inherits;
};

struct Auth {
  bool enforce = true;
  std::string anonymous_role;  // used only without enforcement
  std::vector<Token> tokens;
  std::vector<Certificate> certificates;           // only with server.tls_client_ca
  std::vector<std::string> authorization_servers;  // OAuth issuers; empty: clients are sent nowhere
  std::vector<std::string>
      audiences;  // of signed tokens; empty: server.public_url and the path of the endpoint
  std::vector<std::string> role_claims;            // of signed tokens, besides their scopes
  std::map<std::string, std::string> claim_roles;  // what those claims' values mean; empty: they are roles
  milliseconds clock_skew{};                       // between this machine and the authorization servers
  std::map<std::string, Role> roles;
  bool default_roles = true;  // read, ops and admin exist too, where `roles` does not redefine them
};

// One [[policy.rule]]; what each part means stands in policy/rule.h.
struct RuleArgument {
  std::string pointer;  // "/cpu_count"
  std::optional<double> min, max;
  std::vector<Json> one_of;
  std::string pattern;
  bool required = false, forbidden = false;
};

struct RuleWindow {
  std::bitset<7> days;  // [0] = Monday
  int from_min = 0, to_min = 0;
  std::string zone = "UTC";
};

enum class RuleEffect { allow, deny, unasked, confirm, elicit, approve };

struct Rule {
  std::string name;
  std::string origin;  // "site.toml:12:1"
  RuleEffect effect = RuleEffect::deny;
  std::vector<std::string> roles, identities, tools;
  std::vector<RuleArgument> arguments;
  std::vector<std::string> kinds, vcenters, datacenters, clusters, folders, tags, names, power_states;
  std::optional<RuleWindow> window;
};

struct Policy {
  bool read_only = false;
  std::vector<Rule> rules;  // in the order in which they were written
  milliseconds approval_life{};
};

// One name's own limits; what is not set is as for all others of its kind.
struct LimitRule {
  std::optional<double> rps, burst;
  std::optional<double> cost;  // tools only: times the cost that the tool declares
};

struct Limits {
  bool enabled = true;  // RATE_LIMIT: all rates below
  double identity_rps = 0, identity_burst = 0;
  double address_rps = 0, address_burst = 0;
  double role_rps = 0, role_burst = 0;  // rps 0 here and below: no such limit
  double tool_rps = 0, tool_burst = 0;
  double target_rps = 0, target_burst = 0;
  double vcenter_rps = 0, vcenter_burst = 0;
  std::map<std::string, LimitRule> identities, roles, tools, vcenters;
  std::size_t identical_calls = 0;  // 0: not watched
  milliseconds identical_window{};
  bool shadow = false;
  std::size_t max_addresses = 0;
  std::size_t max_identities = 0;
  std::size_t tool_parallel = 0;
  std::size_t vcenter_parallel = 0;
  std::size_t queue_per_slot = 0;
};

struct Audit {
  std::string log_path;  // the view of the journal; empty = stdout (stderr under stdio)
  milliseconds sync_timeout{};
  std::size_t max_args_bytes = 0;
  std::size_t segment_MiB = 64;    // the journal is closed and begun anew beyond this …
  std::size_t segment_hours = 24;  // … or after this
  std::size_t keep_days = 0;       // closed segments; 0 = for ever
};

struct Plugin {
  std::string id;  // reverse-DNS: "org.vmcp.vm"
  bool enabled = true;
  bool required = false;  // true: the server does not start without it
  Isolation isolation = Isolation::process;
  std::string prefix;              // put before its tools' names; empty = none
  std::vector<std::string> tools;  // globs; empty = all of its tools
  std::string sha256;              // of the library: 64 lower-case hex digits; empty = not pinned
  bool allow_downgrade = false;    // a signed version below one that ran before is fine
  Json config = Json::object();
};

// Whole and in load order: a plugin that is not in `list` is not loaded. The first-party plugins are in it by
// default, third-party ones only when the site names them.
struct Plugins {
  std::string dir;  // empty = beside the program
  PluginTrust trust = PluginTrust::signatures;
  Sandbox sandbox = Sandbox::required;
  bool safe_mode = false;            // --safe-mode; no setting of the file
  std::size_t memory_MiB = 1024;     // of one plugin in a process of its own
  std::string keys;                  // PEM file or folder of public keys; empty = none
  std::vector<std::string> revoked;  // "key:HEX", "sha256:HEX", 64 lower-case digits
  std::vector<Plugin> list;
};

// The listener for the operator, apart from the clients'.
struct Admin {
  bool enabled = true;
  std::string host;        // loopback
  std::uint16_t port = 0;  // 0 = a free one, which a file in the state directory tells
};

struct State {
  std::string dir;  // empty = the store's default
  // More than one: when another process holds it, one of so many beside it is taken (stdio).
  std::size_t instances = 1;
};

struct LogSettings {
  LogLevel level = LogLevel::info;
};

struct Settings {
  bool demo = false;
  Vcenter vcenter;
  Server server;
  Auth auth;
  Policy policy;
  Limits limits;
  Audit audit;
  Plugins plugins;
  Admin admin;
  State state;
  LogSettings log;
};

}  // namespace vmcp::config
