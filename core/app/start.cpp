#include "app/start.h"

#include <signal.h>

#include <cstdio>
#include <filesystem>

#include "config/report.h"

namespace vmcp::app {

std::optional<config::Loaded> load_config(const ConfigOptions& options, bool demo, bool needs_token,
                                          std::vector<config::Flag> flags, bool needs_vcenter) {
  config::Options from;
  from.demo = demo;
  from.require_token = needs_token;
  from.require_vcenter = needs_vcenter;
  from.config_file = options.config_file;
  from.env_file = options.env_file;
  from.flags = std::move(flags);
  if (!options.log_level.empty()) from.flags.push_back({"log.level", options.log_level, "--log-level"});
  from.environment = config::process_environment();
  config::LoadResult result = config::load(from);
  if (result.ok()) return std::move(result.loaded);
  std::fputs(config::problems_text(result.problems).c_str(), stderr);
  return std::nullopt;
}

namespace {
sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}
}  // namespace

void block_signals() {
  const sigset_t set = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // A limit on file sizes becomes a failed write, which closes the changing tools, instead of our end.
  ::signal(SIGXFSZ, SIG_IGN);
}

int wait_for_signal() {
  const sigset_t set = awaited_signals();
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number;
}

int wait_for_signal(milliseconds at_most) {
  const sigset_t set = awaited_signals();
  const timespec time{at_most.count() / 1000, at_most.count() % 1000 * 1'000'000};
  const int number = ::sigtimedwait(&set, nullptr, &time);
  return number < 0 ? 0 : number;
}

std::string default_plugin_dir() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "plugins";
  return (program.parent_path().parent_path() / "lib" / "vsphere-mcp-pro" / "plugins").string();
}

}  // namespace vmcp::app
