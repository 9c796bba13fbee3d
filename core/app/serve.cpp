#include <cstdio>
#include <cstdlib>

#include "app/commands.h"
#include "app/host.h"
#include "app/start.h"

namespace vmcp::app {
namespace {

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
  serves();
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
  const auto loaded = load_config(options.config, options.demo, true, std::move(flags));
  if (!loaded) return 1;
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
  if (auto r = (*host)->listen(); !r) {
    std::fprintf(stderr, "Cannot listen: %s\n", r.error().text.c_str());
    return 1;
  }
  print_ready(**host, loaded->settings);
  wait_for_signal();
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
