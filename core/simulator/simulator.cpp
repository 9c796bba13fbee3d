#include "simulator/simulator.h"

#include "simulator/listener.h"
#include "simulator/vcenter.h"

namespace vmcp::simulator {
namespace {

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.compare(0, 4, "127.") == 0;
}

}  // namespace

struct Simulator::Impl {
  Impl(Settings s, Log& l)
      : settings(s),
        log(l),
        vcenter(std::move(s), clock),
        listener([this](const Request& request) { return vcenter.handle(request); }) {}

  const Settings settings;
  Log& log;
  SystemClock clock;
  VCenter vcenter;
  Listener listener;
};

Simulator::Simulator(Settings settings, Log& log) : impl_(std::make_unique<Impl>(std::move(settings), log)) {}
Simulator::~Simulator() {
  stop();
}

Result<void> Simulator::start() {
  const Settings& settings = impl_->settings;
  if (!is_loopback(settings.host) && settings.admin_token.empty()) {
    return make_error(
        Code::invalid_argument,
        "the simulator's admin path would be open to the network; listen on 127.0.0.1 or set an admin "
        "token");
  }
  if (auto prepared = impl_->vcenter.prepare(); !prepared) return prepared;
  if (auto started = impl_->listener.start(settings.host, settings.port); !started) return started;
  impl_->log.info(
      "simulator.listening",
      {{"host", settings.host}, {"port", std::to_string(port())}, {"vms", std::to_string(settings.vms)}});
  return {};
}

void Simulator::stop() {
  impl_->vcenter.stop();
  impl_->listener.stop();
}

std::uint16_t Simulator::port() const {
  return impl_->listener.port();
}

}  // namespace vmcp::simulator
