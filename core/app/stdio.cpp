#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "app/commands.h"
#include "app/host.h"
#include "app/start.h"
#include "stdio/stdio_server.h"

namespace vmcp::app {
namespace {

constexpr std::size_t kInstances = 16;

// Nothing but the protocol may reach the client: whatever else writes to standard output, a library or a
// plugin, goes to standard error from here on.
int take_stdout() {
  const int output = ::dup(STDOUT_FILENO);
  if (output >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return output;
}

Secret token_of(const StdioOptions& options) {
  const char* token = std::getenv(options.token_env.c_str());
  if (token != nullptr) return Secret(token);
  return options.demo ? Secret("demo-admin") : Secret();
}

}  // namespace

int stdio(const StdioOptions& options) {
  block_signals();
  auto loaded = load_config(options.config, options.demo, true);
  if (!loaded) return 1;
  if (loaded->settings.audit.log_path.empty()) loaded->settings.audit.log_path = "/dev/stderr";
  // Each desktop client starts a program of its own.
  loaded->settings.state.instances = kInstances;
  StderrLog log(loaded->settings.log.level);
  for (const std::string& warning : loaded->warnings) log.warning(warning);
  Secret token = token_of(options);
  if (token.empty() && loaded->settings.auth.enforce) {
    std::fprintf(
        stderr,
        "Cannot start: no token. Put the caller's token into the variable %s of the client's configuration, "
        "or name another variable with --token-env.\n",
        options.token_env.c_str());
    return 1;
  }
  const int output = take_stdout();
  std::optional<DemoSettings> demo;
  if (options.demo) demo = DemoSettings{options.vms, 0, {}};
  auto host = Host::build(loaded->settings, demo, default_plugin_dir(), log);
  if (!host || output < 0) {
    std::fprintf(stderr, "Cannot start: %s\n", host ? "no standard output" : host.error().text.c_str());
    return 1;
  }
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  std::thread([stop] {
    wait_for_signal();
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(stop, &one, sizeof one);
  }).detach();
  stdio::StdioServer server((*host)->endpoint(), (*host)->background(), std::move(token), output, log);
  log.info("serving on standard input and output",
           {{"tools", std::to_string((*host)->catalog()->registry.all().size())}});
  const bool answered = server.run(STDIN_FILENO, stop, loaded->settings.server.max_body_bytes,
                                   loaded->settings.server.shutdown_grace);
  const bool clean = (*host)->stop() && answered;
  if (!clean || (*host)->calls_hang()) {
    std::fflush(nullptr);
    std::_Exit(clean ? 0 : 1);
  }
  return 0;
}

}  // namespace vmcp::app
