#include <cstdio>
#include <fstream>

#include "app/commands.h"
#include "app/start.h"
#include "simulator/simulator.h"

namespace vmcp::app {

int simulate(const SimulateOptions& options) {
  block_signals();
  StderrLog log(LogLevel::info);
  simulator::Settings settings;
  const auto colon = options.listen.rfind(':');
  const std::string port = colon == std::string::npos ? options.listen : options.listen.substr(colon + 1);
  if (colon != std::string::npos) settings.host = options.listen.substr(0, colon);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(port) > 65535) {
    std::fprintf(stderr, "--listen: expected HOST:PORT, got '%s'\n", options.listen.c_str());
    return 2;
  }
  settings.port = static_cast<std::uint16_t>(std::stoul(port));
  settings.vms = options.vms;
  settings.seed = options.seed;
  settings.task_time = milliseconds(options.task_ms);
  settings.record_file = options.record;
  settings.share_session = !options.no_shared_session;
  if (!options.release.empty()) settings.release = options.release;
  if (!options.user.empty()) settings.user = options.user;
  if (!options.password_file.empty()) {
    std::ifstream in(options.password_file);
    std::string password;
    if (!std::getline(in, password)) {
      std::fprintf(stderr, "--password-file: cannot read %s\n", options.password_file.c_str());
      return 2;
    }
    settings.password = Secret(password);
  }
  simulator::Simulator simulator(settings, log);
  if (auto r = simulator.start(); !r) {
    std::fprintf(stderr, "Cannot start: %s\n", r.error().text.c_str());
    return 1;
  }
  std::fprintf(stderr, "vCenter simulator with %zu VMs on http://%s:%u (user %s)\n", settings.vms,
               settings.host.c_str(), static_cast<unsigned>(simulator.port()), settings.user.c_str());
  wait_for_signal();
  simulator.stop();
  return 0;
}

}  // namespace vmcp::app
