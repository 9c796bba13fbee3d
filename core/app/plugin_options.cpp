#include "app/plugin_options.h"

#include <memory>

namespace vmcp::app {
namespace {

void add_inspect(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginInspectOptions>();
  CLI::App* command =
      plugin.add_subcommand("inspect", "Print what a plugin says about itself, without running any of it");
  command->add_option("file", options->file, "the library, NAME.so, with NAME.vmcp.json beside it")
      ->required();
  command->add_flag("--json", options->json, "as one JSON object");
  command->footer("Example: vsphere-mcp-pro plugin inspect build/hello.so");
  command->callback([options, &code] { code = plugin_inspect(*options); });
}

void add_call(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginCallOptions>();
  CLI::App* command = plugin.add_subcommand(
      "call", "Call one tool of a plugin through the whole server, against a simulated vCenter");
  command->add_option("file", options->file, "the library, NAME.so, with NAME.vmcp.json beside it")
      ->required();
  command->add_option("tool", options->tool, "one of its tools")->required();
  command->add_option("arguments", options->arguments, "key=value; numbers, true, false and JSON as such");
  command->add_option("--plugin-config", options->plugin_config, "what its start() gets, a JSON object")
      ->capture_default_str();
  command->add_flag(
      "--child", options->child,
      "in a process of its own with its sandbox, as a server runs it (default: in this process, where "
      "a debugger sees it)");
  command->add_option("--role", options->role, "of the caller: read, ops or admin (default)")
      ->check(CLI::IsMember({"read", "ops", "admin"}));
  command->add_option("--timeout", options->timeout_s, "seconds to wait for the answer")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
  command->footer(
      "Exit code: 0 answered, 1 refused or failed, 2 nothing to call.\n"
      "Example: vsphere-mcp-pro plugin call build/hello.so hello_count_vms prefix=web-");
  command->callback([options, &code] { code = plugin_call(*options); });
}

void add_check(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginCheckOptions>();
  CLI::App* command = plugin.add_subcommand(
      "check", "Run a plugin through everything that a host asks of it, in processes of its own");
  CLI::Option* file =
      command->add_option("file", options->file, "the library, NAME.so, with NAME.vmcp.json beside it");
  command->add_option("--seed", options->seed, "the same seed makes the same calls")->capture_default_str();
  command->add_option("--calls", options->calls, "calls of each tool")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--tool", options->tool, "call this tool only");
  command->add_option("--stall", options->stall_s, "seconds after which a call does not return any more")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  command->add_option("--config", options->config,
                      "what its start() gets, a JSON object (default: made up from its own schema)");
  command->add_flag("--json", options->json, "as one JSON object");
  command->add_flag("--findings", options->findings, "print everything that can be found, and its fix");
  command->parse_complete_callback([options, file] {
    if (!options->findings && file->count() == 0) throw CLI::RequiredError("file");
  });
  command->footer(
      "Exit code: 0 no findings, 1 findings, 2 the file cannot be read.\n"
      "Example: vsphere-mcp-pro plugin check build/hello.so --seed 7");
  command->callback([options, &code] { code = plugin_check(*options); });
}

void add_dev(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginDevOptions>();
  CLI::App* command = plugin.add_subcommand(
      "dev",
      "Build, check and serve a plugin again whenever its sources change, against a simulated vCenter");
  command->add_option("dir", options->dir, "the plugin's project: a folder with a CMakeLists.txt")
      ->required();
  command->add_option("--listen", options->listen, "HOST:PORT of the server")->capture_default_str();
  command->add_option("--vms", options->vms, "virtual machines of the simulated vCenter")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  command->footer(
      "What does not build, or has findings, does not replace what is served. Tokens: demo-read, "
      "demo-ops, demo-admin.\nExample: vsphere-mcp-pro plugin dev hello");
  command->callback([options, &code] { code = plugin_dev(*options); });
}

void add_new(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginNewOptions>();
  CLI::App* command = plugin.add_subcommand(
      "new", "Write a new plugin with its test, which builds against the installed SDK");
  command->add_option("name", options->name, "of the plugin: hello")->required();
  command->add_option("--lang", options->lang, "c or cpp")
      ->check(CLI::IsMember({"c", "cpp"}))
      ->capture_default_str();
  command->add_option("--dir", options->dir, "the folder to write into (default: ./NAME)");
  command->add_option("--id", options->id, "reverse-DNS id (default: org.example.NAME)");
  command->footer(
      "Example: vsphere-mcp-pro plugin new hello && cd hello && cmake -B build && cmake --build build");
  command->callback([options, &code] { code = plugin_new(*options); });
}

void add_trial(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginTrialOptions>();
  CLI::App* command = plugin.add_subcommand("trial", "The child process of `plugin check`");
  command->group("");  // hidden
  command->add_option("file", options->file)->required();
  command->add_option("--seed", options->seed);
  command->add_option("--calls", options->calls);
  command->add_option("--tool", options->tool);
  command->add_flag("--rest", options->rest);
  command->add_option("--report-fd", options->report_fd)->required();
  command->callback([options, &code] { code = plugin_trial(*options); });
}

void add_list(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginListOptions>();
  CLI::App* command = plugin.add_subcommand(
      "list", "Print which plugins of a folder the server would load, and why not the others");
  add_config_options(command, options->config);
  command->add_option("--dir", options->dir, "the folder (default: the configured one)");
  command->add_flag("--json", options->json, "as one JSON array");
  command->footer("Example: vsphere-mcp-pro plugin list --dir /usr/lib/vsphere-mcp-pro/plugins");
  command->callback([options, &code] { code = plugin_list(*options); });
}

void add_sign(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginSignOptions>();
  CLI::App* command = plugin.add_subcommand("sign", "Sign a plugin, so that operators know who made it");
  command->add_option("file", options->file, "the library, NAME.so, with NAME.vmcp.json beside it")
      ->required();
  command->add_option("--key", options->key, "Ed25519 private key, PEM, mode 0600")->required();
  command->add_option("--out", options->out, "the signature (default: NAME.vmcp.sig beside the library)");
  command->footer(
      "A key pair:\n  openssl genpkey -algorithm ed25519 -out private.pem && chmod 600 private.pem\n"
      "  openssl pkey -in private.pem -pubout -out public.pem\n"
      "Exit code: 0 signed, 1 not signed, 2 the plugin cannot be read.\n"
      "Example: vsphere-mcp-pro plugin sign build/hello.so --key private.pem");
  command->callback([options, &code] { code = plugin_sign(*options); });
}

void add_verify(CLI::App& plugin, int& code) {
  auto options = std::make_shared<PluginVerifyOptions>();
  CLI::App* command =
      plugin.add_subcommand("verify", "Check a plugin's signature or hash, without running any of it");
  command
      ->add_option("file", options->file,
                   "the library, NAME.so, with NAME.vmcp.json and NAME.vmcp.sig beside it")
      ->required();
  command->add_option("--keys", options->keys, "public keys to trust: a PEM file, or a folder of *.pem");
  command->add_option("--sha256", options->sha256, "the hash that the library must have");
  command->add_option("--revoked", options->revoked, "key:HEX or sha256:HEX that is not trusted any more");
  command->add_flag("--json", options->json, "as one JSON object");
  command->footer(
      "Exit code: 0 trusted, 1 not trusted, 2 the plugin cannot be read.\n"
      "Example: vsphere-mcp-pro plugin verify hello.so --keys /etc/vsphere-mcp-pro/plugin-keys");
  command->callback([options, &code] { code = plugin_verify(*options); });
}

void add_running(CLI::App& plugin, int& code) {
  const auto add = [&](const char* verb, const char* help, bool takes_plugin, const char* footer) {
    auto options = std::make_shared<PluginRunningOptions>();
    options->verb = verb;
    CLI::App* command = plugin.add_subcommand(verb, help);
    if (takes_plugin)
      command->add_option("plugin", options->plugin, "its id, or its file's name without ending")
          ->required()
          ->check(CLI::Validator(
              [](std::string& text) {
                const bool plain = text.find_first_not_of(
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789._-") == std::string::npos;
                return plain ? std::string() : "'" + text + "' is not the name of a plugin";
              },
              ""));
    add_admin_options(command, options->server);
    command->add_flag("--json", options->json, "as JSON");
    command->footer(footer);
    command->callback([options, &code] { code = plugin_running(*options); });
  };
  add("status", "Print what the running server's plugins are doing", false,
      "Example: vsphere-mcp-pro plugin status");
  add("disable", "Take a plugin out of what the running server offers, also after a restart", true,
      "Calls that run end undisturbed.\nExample: vsphere-mcp-pro plugin disable org.example.hello");
  add("enable", "Put a plugin back that was switched off, or that failed again and again", true,
      "Example: vsphere-mcp-pro plugin enable org.example.hello");
  add("rollback", "Go back to the generation of a plugin before this one", true,
      "The file that was turned away from stays away until another one lies in its place, or the server "
      "starts\n"
      "again. For plugins in processes of their own.\n"
      "Example: vsphere-mcp-pro plugin rollback org.example.hello");
  add("reload", "Load plugins and tokens anew as their files and the configuration now are (as SIGHUP does)",
      false, "Example: vsphere-mcp-pro plugin reload --state-dir /var/lib/vsphere-mcp-pro");
}

}  // namespace

void add_admin_options(CLI::App* command, AdminOptions& options) {
  add_config_options(command, options.config);
  command->add_option("--state-dir", options.state_dir,
                      "the server's state directory (default: the configured one)");
}

void add_config_options(CLI::App* command, ConfigOptions& options) {
  command->add_option("--config", options.config_file,
                      "TOML file (default: /etc/vsphere-mcp-pro/vsphere-mcp-pro.toml)");
  command->add_option("--env-file", options.env_file, "file of VARIABLE=value lines (default: ./.env)");
  command->add_option("--log-level", options.log_level, "debug, info, warning or error");
}

void add_plugin(CLI::App& app, int& code) {
  CLI::App* plugin =
      app.add_subcommand("plugin", "Begin, check and look at plugins, for authors and operators");
  plugin->require_subcommand(1);
  plugin->footer("Example: vsphere-mcp-pro plugin check build/hello.so");
  add_call(*plugin, code);
  add_check(*plugin, code);
  add_dev(*plugin, code);
  add_inspect(*plugin, code);
  add_list(*plugin, code);
  add_new(*plugin, code);
  add_running(*plugin, code);
  add_sign(*plugin, code);
  add_trial(*plugin, code);
  add_verify(*plugin, code);
}

}  // namespace vmcp::app
