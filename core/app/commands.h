// The program's commands: each takes its parsed options and returns the exit code (0 fine, 1 failed, 2
// usage).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vmcp::app {

// Options that several commands share.
struct ConfigOptions {
  std::string config_file, env_file;
  std::string log_level;  // empty = configured
};

struct ServeOptions {
  ConfigOptions config;
  bool demo = false;
  std::string listen;     // H:P
  std::size_t vms = 120;  // --demo
  std::uint16_t simulator_port = 0;
  std::string simulator_record;
  std::string simulator;   // HOST:PORT of one that runs already
  bool watch = false;      // load plugins anew whenever their files change
  bool safe_mode = false;  // first-party plugins only
};
int serve(const ServeOptions& options);

struct StdioOptions {
  ConfigOptions config;
  bool demo = false;
  std::size_t vms = 120;  // --demo
  std::string token_env = "VMCP_TOKEN";
};
int stdio(const StdioOptions& options);

struct SimulateOptions {
  std::string listen = "127.0.0.1:8990";
  std::size_t vms = 120;
  std::uint64_t seed = 1;
  std::string user, password_file, record, release;
  std::int64_t task_ms = 300;
  bool no_shared_session = false;
};
int simulate(const SimulateOptions& options);

struct CheckConfigOptions {
  ConfigOptions config;
  bool demo = false, reference = false;
};
int check_config(const CheckConfigOptions& options);

int hash_token();  // reads the token from standard input

struct CallOptions {
  ConfigOptions config;
  std::string tool;
  std::vector<std::string> arguments;  // key=value
  std::string url = "http://127.0.0.1:8000/mcp";
  std::string token, token_file;
  bool demo = false;
  std::int64_t timeout_s = 90;
};
int call(const CallOptions& options);

int doctor(const ConfigOptions& options, bool demo);
int privileges(const ConfigOptions& options, bool demo);

// What the commands of `plugin` give for a file that they cannot read; 0 is fine, 1 a finding or refusal.
inline constexpr int kUnreadable = 2;

struct PluginInspectOptions {
  std::string file;
  bool json = false;
};
int plugin_inspect(const PluginInspectOptions& options);

struct PluginCheckOptions {
  std::string file, tool;
  std::string config;     // a JSON object; empty: made up from the plugin's schema
  bool findings = false;  // print what can be found, and check nothing
  std::uint64_t seed = 1;
  std::size_t calls = 24;
  std::int64_t stall_s = 10;
  bool json = false;
};
int plugin_check(const PluginCheckOptions& options);

struct PluginTrialOptions {
  std::string file, tool;
  bool rest = false;
  std::uint64_t seed = 1;
  std::size_t calls = 24;
  int report_fd = -1;
};
// The child of plugin_check(); not for people.
int plugin_trial(const PluginTrialOptions& options);

struct PluginNewOptions {
  std::string name, id, dir;
  std::string lang = "cpp";
};
int plugin_new(const PluginNewOptions& options);

struct PluginCallOptions {
  std::string file, tool;
  std::vector<std::string> arguments;  // key=value
  std::string plugin_config = "{}";    // JSON object
  std::string role;                    // of the demo: read, ops or admin
  bool child = false;                  // in a process of its own, as a server runs it
  std::int64_t timeout_s = 90;
};
// One call through the whole chain of a demo server that has this plugin alone.
int plugin_call(const PluginCallOptions& options);

struct PluginDevOptions {
  std::string dir;                        // the plugin's project
  std::string listen = "127.0.0.1:8000";  // H:P
  std::size_t vms = 120;
};
int plugin_dev(const PluginDevOptions& options);

struct PluginSignOptions {
  std::string file, key;
  std::string out;  // empty = NAME.vmcp.sig beside the file
};
int plugin_sign(const PluginSignOptions& options);

struct PluginVerifyOptions {
  std::string file, keys, sha256;
  std::vector<std::string> revoked;  // as plugins.revoked
  bool json = false;
};
int plugin_verify(const PluginVerifyOptions& options);

struct PluginListOptions {
  ConfigOptions config;
  std::string dir;
  bool json = false;
};
int plugin_list(const PluginListOptions& options);

// Which server on this machine a command speaks to.
struct AdminOptions {
  ConfigOptions config;
  std::string state_dir;  // empty: what the configuration says
};

struct PluginRunningOptions {
  AdminOptions server;
  std::string verb;    // status, enable, disable, rollback, reload
  std::string plugin;  // its id or file's name; empty for status and reload
  bool json = false;
};
// The plugins of a server that runs.
int plugin_running(const PluginRunningOptions& options);

// The commands of `audit`: 0 fine, 1 findings, 2 something cannot be read.
struct AuditVerifyOptions {
  AdminOptions server;
  std::vector<std::string> files;  // instead of the state directory's
  std::vector<std::string> heads;  // kept elsewhere
  std::string key, chain_key;
  bool json = false;
};
int audit_verify(const AuditVerifyOptions& options);

struct AuditHeadOptions {
  AdminOptions server;
};
int audit_head(const AuditHeadOptions& options);

struct AuditTailOptions {
  AdminOptions server;
  std::size_t lines = 20;
  std::string identity, tool, event, target, request, since;
  bool follow = false, json = false;
};
int audit_tail(const AuditTailOptions& options);

struct AuditReportOptions {
  AdminOptions server;
  std::string since, until;
  bool json = false;
};
int audit_report(const AuditReportOptions& options);

struct LockOptions {
  AdminOptions server;
  std::string scope, value, reason;
  std::int64_t for_s = 0;  // 0: until it is lifted
  bool json = false;
};
// Locks of a server that runs.
int lock(const LockOptions& options);
struct UnlockOptions {
  AdminOptions server;
  std::string id;
};
int unlock(const UnlockOptions& options);
struct LocksOptions {
  AdminOptions server;
  bool json = false;
};
int locks(const LocksOptions& options);

struct ExplainOptions {
  AdminOptions server;
  std::string tool, identity, role, request;
  std::vector<std::string> arguments;  // key=value
  bool json = false;
};
// What would become of a call, and why.
int explain(const ExplainOptions& options);

struct ApprovalsOptions {
  AdminOptions server;
  std::string id, reason;
  bool approve = false, json = false;
};
// Calls of a server that runs which wait for a second person.
int approvals(const ApprovalsOptions& options);
int decide(const ApprovalsOptions& options);

// The folder of plugins that belongs to this program: ../lib/vsphere-mcp-pro/plugins beside its bin/.
std::string default_plugin_dir();

}  // namespace vmcp::app
