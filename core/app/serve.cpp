#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "app/commands.h"
#include "app/host.h"
#include "app/start.h"

namespace vmcp::app {
namespace {

constexpr milliseconds kFolderLook{500};

void print_ready(const Host& host, const config::Settings& settings) {
  const std::string url =
      (settings.server.tls_certificate.empty() ? "http://" : "https://") +
      (settings.server.host == "0.0.0.0" ? std::string("127.0.0.1") : settings.server.host) + ":" +
      std::to_string(host.port()) + settings.server.mcp_path;
  // Last, for who waits for it: everything else is said by then.
  const auto serves = [&] {
    std::fprintf(stderr, "vsphere-mcp-pro %s serves %zu tools at %s\n", VMCP_VERSION,
                 host.catalog()->registry.all().size(), url.c_str());
  };
  if (!settings.demo) return serves();
  if (host.simulator_port() != 0)
    std::fprintf(stderr, "demo: embedded vCenter on 127.0.0.1:%u\n",
                 static_cast<unsigned>(host.simulator_port()));
  std::fputs("demo: tokens demo-read, demo-ops, demo-admin (loopback only)\n", stderr);
  std::fprintf(stderr, "demo: the operator's commands take --state-dir %s\n", host.state_dir().c_str());
  serves();
}

// The plugin folder as one number that changes with any of its files.
std::uint64_t state_of(const std::string& folder) {
  namespace fs = std::filesystem;
  std::uint64_t out = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // between the listing and the look
    const auto written = static_cast<std::uint64_t>(it->last_write_time(gone).time_since_epoch().count());
    const std::uint64_t size = it->file_size(gone);
    if (!gone) out += fs::hash_value(it->path()) ^ ((written + size) * 0x9E3779B97F4A7C15u);
  }
  return out;
}

// Tokens and plugins. A broken configuration, or a plugin that does not come up, leaves what is served as it
// is.
Result<void> reload(Host& host, const ServeOptions& options, const std::vector<config::Flag>& flags,
                    Log& log) {
  auto loaded = load_config(options.config, options.demo, true, flags);
  const auto refused = [&](Error why) {
    log.error("reload refused", {{"reason", why.text}});
    return why;
  };
  if (!loaded)
    return refused(make_error(Code::conflict,
                              "the configuration has errors: `vsphere-mcp-pro check-config` and the "
                              "server's log name them"));
  loaded->settings.plugins.safe_mode = options.safe_mode;
  auto policy = host.policy_of(loaded->settings);
  if (!policy) return refused(policy.error());
  auto callers = host.callers_of(loaded->settings, **policy);
  if (!callers) return refused(callers.error());
  if (auto r = host.reload_plugins(loaded->settings.plugins); !r) return refused(r.error());
  host.admit(std::move(*callers), std::move(*policy));
  for (const std::string& warning : loaded->warnings) log.warning(warning);
  log.info("plugins and tokens reloaded", {{"tools", std::to_string(host.catalog()->registry.all().size())}});
  return {};
}

// Until SIGINT or SIGTERM. SIGHUP closes the audit's segment. It, and with --watch a change that has come to
// rest, load the plugins anew.
void serve_until_told(Host& host, const ServeOptions& options, const std::vector<config::Flag>& flags,
                      const std::string& plugin_folder, Log& log) {
  std::uint64_t known = state_of(plugin_folder), seen = known;
  while (true) {
    const int signal = options.watch ? wait_for_signal(kFolderLook) : wait_for_signal();
    if (signal == SIGINT || signal == SIGTERM) return;
    if (signal == SIGHUP) {
      host.rotate_audit();
      known = seen = state_of(plugin_folder);
      static_cast<void>(reload(host, options, flags, log));  // it says itself what went wrong
      continue;
    }
    const std::uint64_t now = state_of(plugin_folder);
    const bool at_rest = now == seen;
    seen = now;
    if (now == known || !at_rest) continue;
    known = now;
    static_cast<void>(reload(host, options, flags, log));
  }
}

}  // namespace

int serve(const ServeOptions& options) {
  block_signals();
  std::vector<config::Flag> flags;
  if (!options.listen.empty()) {
    auto listen = config::listen_flags(options.listen);
    if (!listen) {
      std::fprintf(stderr, "--listen: %s\n", listen.error().text.c_str());
      return 2;
    }
    flags = std::move(*listen);
  }
  auto loaded = load_config(options.config, options.demo, true, flags);
  if (!loaded) return 1;
  loaded->settings.plugins.safe_mode = options.safe_mode;
  StderrLog log(loaded->settings.log.level);
  for (const std::string& warning : loaded->warnings) log.warning(warning);

  std::optional<DemoSettings> demo;
  if (options.demo)
    demo = DemoSettings{options.vms, options.simulator_port, options.simulator_record, options.simulator};
  auto host = Host::build(loaded->settings, demo, default_plugin_dir(), log);
  if (!host) {
    std::fprintf(stderr, "Cannot start: %s\n", host.error().text.c_str());
    return 1;
  }
  (*host)->on_reload([&] { return reload(**host, options, flags, log); });
  if (auto r = (*host)->listen(); !r) {
    std::fprintf(stderr, "Cannot listen: %s\n", r.error().text.c_str());
    return 1;
  }
  print_ready(**host, loaded->settings);
  const std::string& folder = loaded->settings.plugins.dir;
  serve_until_told(**host, options, flags, folder.empty() ? default_plugin_dir() : folder, log);
  log.info("stopping");
  const bool clean = (*host)->stop();
  log.info("stopped", {{"clean", clean ? "yes" : "no"}});
  if (!clean || (*host)->calls_hang()) {
    // What a hanging call uses must not be taken down under it. Everything that matters is flushed.
    std::fflush(nullptr);
    std::_Exit(clean ? 0 : 1);
  }
  return 0;
}

}  // namespace vmcp::app
