// privileges: the least-privilege vCenter role for the enabled tools.
#include <cstdio>
#include <map>

#include "app/commands.h"
#include "app/offline_tools.h"
#include "app/start.h"

namespace vmcp::app {

Result<std::unique_ptr<OfflineTools>> OfflineTools::load(const config::Settings& settings, Log& log) {
  auto out = std::make_unique<OfflineTools>();
  auto loaded = plugin_host::load_plugins(
      plugin_settings(settings.plugins, default_plugin_dir(), seen_versions_file(settings.state)), log);
  if (!loaded) return loaded.error();
  out->plugins = std::move(*loaded);
  for (plugin_host::Loaded& plugin : out->plugins) {
    if (!plugin.plugin) continue;
    if (auto r = out->registry.add(plugin); !r) {
      plugin.reason = r.error().text;
      plugin.plugin.reset();
    }
  }
  return out;
}

int privileges(const ConfigOptions& options, bool demo) {
  const auto loaded = load_config(options, demo, false);
  if (!loaded) return 1;
  SilentLog log;
  const auto tools = OfflineTools::load(loaded->settings, log);
  if (!tools) {
    std::fprintf(stderr, "%s\n", tools.error().text.c_str());
    return 1;
  }
  std::map<std::string, std::string> needed;  // privilege → tools that need it
  for (const auto& tool : (*tools)->registry.all())
    for (const std::string& privilege : tool->privileges) {
      std::string& users = needed[privilege];
      users += (users.empty() ? "" : ", ") + tool->name;
    }
  std::printf("# vCenter role with the least privileges for the %zu enabled tools\n",
              (*tools)->registry.all().size());
  std::printf("# Assign it to the service account on the objects it may work on, with propagation.\n");
  for (const auto& [privilege, users] : needed) std::printf("%-44s # %s\n", privilege.c_str(), users.c_str());
  return needed.empty() ? 1 : 0;
}

}  // namespace vmcp::app
