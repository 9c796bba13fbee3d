// plugin inspect, plugin list: what can be said about plugins without running them.
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/mapping.h"
#include "app/start.h"
#include "plugin_check/inspect.h"

namespace vmcp::app {
namespace {

constexpr int kUnreadable = 2;

}  // namespace

int plugin_inspect(const PluginInspectOptions& options) {
  const auto inspection = plugin_check::inspect(options.file);
  if (!inspection) {
    std::fprintf(stderr, "%s\n", inspection.error().text.c_str());
    return kUnreadable;
  }
  std::fputs(options.json ? plugin_check::inspection_json(*inspection).c_str()
                          : plugin_check::inspection_text(*inspection).c_str(),
             stdout);
  return 0;
}

int plugin_list(const PluginListOptions& options) {
  // Which vCenter is configured does not matter here, so none needs to be.
  auto loaded = load_config(options.config, true, false);
  if (!loaded) return 1;
  config::Plugins& plugins = loaded->settings.plugins;
  if (!options.dir.empty()) plugins.dir = options.dir;
  const plugin_host::LoadSettings settings = plugin_settings(plugins, default_plugin_dir());
  for (const std::string& directory : settings.directories) {
    std::error_code error;
    if (std::filesystem::is_directory(directory, error)) continue;
    std::fprintf(stderr, "%s is no folder; name one with --dir\n", directory.c_str());
    return kUnreadable;
  }
  const auto listed = plugin_check::list_plugins(settings);
  std::fputs(
      options.json ? plugin_check::listing_json(listed).c_str() : plugin_check::listing_text(listed).c_str(),
      stdout);
  return 0;
}

}  // namespace vmcp::app
