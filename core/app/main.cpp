// The program: its commands and their options. Exit codes: 0 fine, 1 failed, 2 wrong usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "app/approval_options.h"
#include "app/audit_options.h"
#include "app/commands.h"
#include "app/lock_options.h"
#include "app/plugin_options.h"

namespace {

using namespace vmcp::app;

void add_serve(CLI::App& app, int& code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Serve MCP over HTTP");
  add_config_options(command, options->config);
  command->add_flag("--demo", options->demo, "with an embedded vCenter and demo tokens, on loopback");
  command->add_option("--listen", options->listen, "HOST:PORT");
  command->add_option("--vms", options->vms, "VMs of the demo's vCenter")->check(CLI::Range(1, 20000));
  command->add_option("--simulator-port", options->simulator_port,
                      "port of the demo's vCenter (default: a free one)");
  command->add_option("--simulator-record", options->simulator_record,
                      "write every exchange with the demo's vCenter to this file as JSON lines");
  command
      ->add_option("--simulator", options->simulator,
                   "HOST:PORT of a running `vsphere-mcp-pro simulate` to use as the demo's vCenter")
      ->excludes("--simulator-port")
      ->excludes("--simulator-record")
      ->excludes("--vms")
      ->needs("--demo");
  command->add_flag("--watch", options->watch, "load plugins anew whenever their files change");
  command->add_flag("--safe-mode", options->safe_mode, "without third-party plugins");
  command->footer(
      "SIGHUP loads plugins, tokens and policy anew as the configuration then says, and closes a segment of "
      "the "
      "audit journal; calls that run are not disturbed.\n"
      "Example: vsphere-mcp-pro serve --demo --listen 127.0.0.1:8000");
  command->callback([options, &code] { code = serve(*options); });
}

void add_stdio(CLI::App& app, int& code) {
  auto options = std::make_shared<StdioOptions>();
  CLI::App* command = app.add_subcommand(
      "stdio", "Serve MCP on standard input and output, for a client that starts this program");
  add_config_options(command, options->config);
  command->add_flag("--demo", options->demo,
                    "with an embedded vCenter; the token is demo-admin unless one is given");
  command->add_option("--vms", options->vms, "VMs of the demo's vCenter")->check(CLI::Range(1, 20000));
  command->add_option("--token-env", options->token_env, "environment variable that holds the caller's token")
      ->capture_default_str();
  command->footer("Example: VMCP_TOKEN=demo-read vsphere-mcp-pro stdio --demo");
  command->callback([options, &code] { code = stdio(*options); });
}

void add_simulate(CLI::App& app, int& code) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command =
      app.add_subcommand("simulate", "Run the embedded vCenter alone, for plugin authors and tests");
  command->add_option("--listen", options->listen, "HOST:PORT (plain http)")->capture_default_str();
  command->add_option("--vms", options->vms, "number of VMs")
      ->check(CLI::Range(1, 20000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "the same seed makes the same inventory")
      ->capture_default_str();
  command->add_option("--user", options->user, "user name (default: demo@vsphere.local)");
  command->add_option("--password-file", options->password_file,
                      "file whose first line is the password (default: demo)");
  command->add_option("--task-ms", options->task_ms, "how long a task takes")->check(CLI::Range(0, 600000));
  command->add_option("--release", options->release, "vim25 release to claim, e.g. 8.0.2.0");
  command->add_option("--record", options->record, "write every exchange to this file as JSON lines");
  command->add_flag("--no-shared-session", options->no_shared_session,
                    "as before 8.0 U3: VI/JSON needs its own login");
  command->footer("Example: vsphere-mcp-pro simulate --vms 500 --listen 127.0.0.1:8990");
  command->callback([options, &code] { code = simulate(*options); });
}

void add_check_config(CLI::App& app, int& code) {
  auto options = std::make_shared<CheckConfigOptions>();
  CLI::App* command =
      app.add_subcommand("check-config", "Check the configuration and print what is in effect");
  add_config_options(command, options->config);
  command->add_flag("--demo", options->demo, "as `serve --demo` would see it");
  command->add_flag("--reference", options->reference, "print every setting as a Markdown page");
  command->footer("Example: vsphere-mcp-pro check-config --env-file .env");
  command->callback([options, &code] { code = check_config(*options); });
}

void add_hash_token(CLI::App& app, int& code) {
  CLI::App* command = app.add_subcommand("hash-token", "Read a token from standard input and print its hash");
  command->footer("Example: openssl rand -hex 32 | tee token | vsphere-mcp-pro hash-token");
  command->callback([&code] { code = hash_token(); });
}

void add_call(CLI::App& app, int& code) {
  auto options = std::make_shared<CallOptions>();
  CLI::App* command =
      app.add_subcommand("call", "Call one tool of a running server (or of a demo) and print its answer");
  command->add_option("tool", options->tool, "name of the tool")->required();
  command->add_option("arguments", options->arguments, "key=value, the value as JSON or text");
  command->add_option("--url", options->url, "the server's MCP endpoint")->capture_default_str();
  command->add_option("--token-file", options->token_file,
                      "file whose first line is the token (or set VMCP_TOKEN)");
  command->add_flag("--demo", options->demo, "start a demo server for this one call");
  command->add_option("--timeout", options->timeout_s, "seconds")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->footer("Example: vsphere-mcp-pro call --demo list_vms limit=3");
  command->callback([options, &code] { code = call(*options); });
}

void add_diagnosis(CLI::App& app, int& code) {
  auto options = std::make_shared<ConfigOptions>();
  auto demo = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("doctor", "Check name, certificate, login, release, clock and privileges");
  add_config_options(command, *options);
  command->add_flag("--demo", *demo, "against a demo vCenter");
  command->footer("Example: vsphere-mcp-pro doctor --env-file .env");
  command->callback([options, demo, &code] { code = doctor(*options, *demo); });

  auto for_role = std::make_shared<ConfigOptions>();
  auto role_demo = std::make_shared<bool>(false);
  CLI::App* role =
      app.add_subcommand("privileges", "Print the least-privilege vCenter role for the enabled tools");
  add_config_options(role, *for_role);
  role->add_flag("--demo", *role_demo, "for the demo's tools");
  role->footer("Example: vsphere-mcp-pro privileges --env-file .env");
  role->callback([for_role, role_demo, &code] { code = privileges(*for_role, *role_demo); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    CLI::App app{
        "vsphere-mcp-pro: lets AI agents operate VMware vCenter through MCP, behind policy, limits and "
        "audit"};
    app.require_subcommand(1);
    app.footer(
        "First steps: vsphere-mcp-pro call --demo list_vms limit=3   or   vsphere-mcp-pro serve --demo");
    int code = 0;
    add_serve(app, code);
    add_stdio(app, code);
    add_call(app, code);
    add_audit(app, code);
    add_check_config(app, code);
    add_diagnosis(app, code);
    add_hash_token(app, code);
    add_simulate(app, code);
    add_plugin(app, code);
    add_locks(app, code);
    add_approvals(app, code);
    app.add_subcommand("version", "Print the version")->callback([] {
      std::puts("vsphere-mcp-pro " VMCP_VERSION);
    });
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      const int parse_code = app.exit(e);
      return parse_code == 0 ? 0 : 2;
    }
    return code;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vsphere-mcp-pro: %s\n", e.what());
    return 1;
  }
}
