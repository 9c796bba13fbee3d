#include "app/check_surroundings.h"

#include <signal.h>

#include <filesystem>

#include "app/commands.h"
#include "base/log.h"
#include "simulator/simulator.h"

namespace vmcp::app {
namespace {

constexpr std::size_t kVms = 30;
constexpr milliseconds kTaskTime{20};

// A simulator of its own for each, with the same inventory.
class Simulated {
 public:
  static Result<std::shared_ptr<const vmcp::plugin_check::VcenterAddress>> start() {
    auto out = std::make_shared<Simulated>();
    if (auto r = out->simulator_.start(); !r) return r.error();
    out->address_ = {"127.0.0.1:" + std::to_string(out->simulator_.port()), out->settings_.user,
                     out->settings_.password.reveal()};
    return std::shared_ptr<const vmcp::plugin_check::VcenterAddress>(out, &out->address_);
  }
  Simulated() : settings_(settings()), simulator_(settings_, log_) {}
  ~Simulated() { simulator_.stop(); }
  Simulated(const Simulated&) = delete;
  Simulated& operator=(const Simulated&) = delete;

 private:
  static simulator::Settings settings() {
    simulator::Settings out;
    out.vms = kVms;
    out.task_time = kTaskTime;
    return out;
  }

  SilentLog log_;
  const simulator::Settings settings_;
  simulator::Simulator simulator_;
  vmcp::plugin_check::VcenterAddress address_;
};

}  // namespace

void add_surroundings(plugin_check::CheckOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  options.vcenter = &Simulated::start;
  // PREFIX/lib/vsphere-mcp-pro/plugins → PREFIX/bin.
  options.runner = (std::filesystem::path(default_plugin_dir()) / "../../../bin/vsphere-mcp-runner")
                       .lexically_normal()
                       .string();
}

}  // namespace vmcp::app
