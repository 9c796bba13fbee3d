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

}  // namespace

void add_config_options(CLI::App* command, ConfigOptions& options) {
  command->add_option("--config", options.config_file,
                      "TOML file (default: /etc/vsphere-mcp-pro/vsphere-mcp-pro.toml)");
  command->add_option("--env-file", options.env_file, "file of VARIABLE=value lines (default: ./.env)");
  command->add_option("--log-level", options.log_level, "debug, info, warning or error");
}

void add_plugin(CLI::App& app, int& code) {
  CLI::App* plugin = app.add_subcommand("plugin", "Look at plugins, for authors and operators");
  plugin->require_subcommand(1);
  plugin->footer("Example: vsphere-mcp-pro plugin inspect build/hello.so");
  add_inspect(*plugin, code);
  add_list(*plugin, code);
}

}  // namespace vmcp::app
