// plugin status, enable, disable, rollback, reload: the plugins of a server that runs.
#include <cstdio>

#include "app/admin_client.h"

namespace vmcp::app {
namespace {

void print_plugins(const Json& plugins) {
  std::printf("%-32s %-10s %-4s %-11s %5s  %s\n", "plugin", "version", "gen", "state", "tools", "");
  for (const Json& plugin : plugins) {
    const std::string state = plugin.value("state", "");
    std::string remark = plugin.value("reason", "");
    if (state == "live") {
      remark = plugin.value("isolation", "") + ", " + plugin.value("trust", "");
      if (plugin.contains("before")) remark += ", before: " + plugin["before"].value("version", "");
    }
    std::printf("%-32s %-10s %-4s %-11s %5zu  %s\n", plugin.value("id", "").c_str(),
                plugin.value("version", "-").c_str(),
                state == "live" ? std::to_string(plugin.value("generation", 0)).c_str() : "-", state.c_str(),
                plugin.contains("tools") ? plugin["tools"].size() : 0, remark.c_str());
  }
}

}  // namespace

int plugin_running(const PluginRunningOptions& options) {
  AdminCall call{"POST", "/admin/v1/plugins/" + options.plugin + "/" + options.verb};
  if (options.verb == "status") call = {"GET", "/admin/v1/plugins"};
  if (options.verb == "reload") call.path = "/admin/v1/reload";
  const auto answer = ask_or_print(options.server, call);
  if (!answer) return 1;
  if (options.json)
    std::printf("%s\n", answer->dump(2).c_str());
  else
    print_plugins(answer->value("plugins", Json::array()));
  return 0;
}

}  // namespace vmcp::app
