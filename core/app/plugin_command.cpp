// plugin …: looking at plugins without a server.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "app/check_surroundings.h"
#include "app/commands.h"
#include "app/mapping.h"
#include "app/start.h"
#include "plugin_check/check.h"
#include "plugin_check/inspect.h"
#include "plugin_check/project.h"
#include "plugin_check/trial.h"

namespace vmcp::app {
int plugin_inspect(const PluginInspectOptions& options) {
  const auto inspection = vmcp::plugin_check::inspect(options.file);
  if (!inspection) {
    std::fprintf(stderr, "%s\n", inspection.error().text.c_str());
    return kUnreadable;
  }
  std::fputs(options.json ? vmcp::plugin_check::inspection_json(*inspection).c_str()
                          : vmcp::plugin_check::inspection_text(*inspection).c_str(),
             stdout);
  return 0;
}

int plugin_check(const PluginCheckOptions& options) {
  if (options.findings) {
    std::fputs(vmcp::plugin_check::findings_table().c_str(), stdout);
    return 0;
  }
  vmcp::plugin_check::CheckOptions check;
  if (!options.config.empty()) {
    auto config = parse_json(options.config);
    if (!config || !config->is_object()) {
      std::fputs("--config takes one JSON object: {\"days\":30}\n", stderr);
      return kUnreadable;
    }
    check.config = std::move(*config);
  }
  add_surroundings(check);
  check.file = options.file;
  check.tool = options.tool;
  check.seed = options.seed;
  check.calls = options.calls;
  check.stall = milliseconds(options.stall_s * 1'000);
  const auto report = vmcp::plugin_check::check_plugin(check);
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().text.c_str());
    return kUnreadable;
  }
  std::fputs(options.json ? vmcp::plugin_check::report_json(*report).c_str()
                          : vmcp::plugin_check::report_text(*report).c_str(),
             stdout);
  return report->findings.empty() ? 0 : 1;
}

int plugin_trial(const PluginTrialOptions& options) {
  vmcp::plugin_check::TrialOptions trial;
  trial.file = options.file;
  trial.tool = options.tool;
  trial.rest = options.rest;
  trial.seed = options.seed;
  trial.calls = options.calls;
  trial.report_fd = options.report_fd;
  trial.input = vmcp::plugin_check::read_trial_input(STDIN_FILENO);
  return vmcp::plugin_check::run_trial(trial);
}

int plugin_new(const PluginNewOptions& options) {
  const auto project =
      vmcp::plugin_check::make_project({options.name, options.id, options.lang == "c", options.dir});
  if (!project) {
    std::fprintf(stderr, "%s\n", project.error().text.c_str());
    return kUnreadable;
  }
  for (const std::string& file : project->files)
    std::printf("%s/%s\n", project->directory.c_str(), file.c_str());
  std::printf("\nNext: cd %s && cmake -B build && cmake --build build\n", project->directory.c_str());
  return 0;
}

int plugin_list(const PluginListOptions& options) {
  // Which vCenter is configured does not matter here, so none needs to be.
  auto loaded = load_config(options.config, true, false);
  if (!loaded) return 1;
  config::Plugins& plugins = loaded->settings.plugins;
  if (!options.dir.empty()) plugins.dir = options.dir;
  const plugin_host::LoadSettings settings =
      plugin_settings(plugins, default_plugin_dir(), seen_versions_file(loaded->settings.state));
  if (plugins.trust == config::PluginTrust::dev)
    std::fputs("WARNING: plugins.trust is dev: nobody needs to vouch for a plugin\n", stderr);
  for (const std::string& directory : settings.directories) {
    std::error_code error;
    if (std::filesystem::is_directory(directory, error)) continue;
    std::fprintf(stderr, "%s is no folder; name one with --dir\n", directory.c_str());
    return kUnreadable;
  }
  const auto listed = vmcp::plugin_check::list_plugins(settings);
  std::fputs(options.json ? vmcp::plugin_check::listing_json(listed).c_str()
                          : vmcp::plugin_check::listing_text(listed).c_str(),
             stdout);
  return 0;
}

}  // namespace vmcp::app
