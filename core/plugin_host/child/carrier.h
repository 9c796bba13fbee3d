// A plugin in a process of its own, kept alive: what it does to its process costs the calls that it was
// running, and nothing else.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.h"
#include "plugin_host/carrier.h"
#include "plugin_host/child/process.h"
#include "plugin_host/host_api.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_host::child {

struct Settings {
  ProcessSettings process;
  std::shared_ptr<const void> library = nullptr;  // owns process.library_fd; may be null
  // After a crash: so long until the next start, doubled with each that follows within the window.
  milliseconds first_pause{100}, longest_pause{30'000};
  // So many crashes within the window switch the plugin off.
  std::size_t most_crashes = 5;
  milliseconds crash_window{60'000};
  // A call that would have to wait longer for the next start is told so at once.
  milliseconds longest_wait{2'000};
  // How long others may go on in a process in which one call hangs.
  milliseconds leave_to_others{5'000};
  // Called once, when the plugin is switched off, on a thread of the carrier's; must not end the carrier.
  std::function<void(const std::string& plugin_id)> on_switched_off = {};
};

class ChildCarrier final : public Carrier {
 public:
  // The library behind settings.process.library_fd stays open and unchanged as long as this lives (a sealed
  // memory file), since every start maps it anew.
  ChildCarrier(Settings settings, std::string manifest_text, const Manifest& manifest, Log& log,
               ChangeSink on_change);
  ~ChildCarrier() override;

  Result<void> start(const std::string& config_json) override;
  vmcp_status round(const Round& round, Invocation& invocation) override;
  bool usable() const override;

  pid_t pid() const;  // of the process that takes new rounds; -1 when there is none now

 private:
  using ProcessPtr = std::shared_ptr<Process>;
  Result<ProcessPtr> launch();
  Result<ProcessPtr> acquire(const Invocation& invocation);
  vmcp_status died(Invocation& invocation, const ProcessPtr& process);
  vmcp_status hung(Invocation& invocation, const ProcessPtr& process);
  // Takes it out of use; once for each.
  void lose(std::uint64_t number, const std::string& how);
  void keep();  // the thread: starts the next after a loss
  milliseconds pause() const;

  const Settings settings_;
  const std::string id_, manifest_text_;
  Log& log_;
  HostSide host_;
  std::string config_json_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ProcessPtr process_;              // null between two
  std::uint64_t number_ = 0;        // of process_, or of the next
  std::vector<ProcessPtr> lost_;    // ended on the keeper's thread, never on their own
  std::deque<SteadyTime> crashes_;  // within the window
  SteadyTime next_start_{};
  std::string switched_off_;  // why, when it is
  bool stopping_ = false;
  std::thread keeper_;
};

// The plugin as its manifest says it is; the process refuses to start it when the library says otherwise.
Result<Opened> open_in_child(Settings settings, std::string manifest_text, const Manifest& manifest, Log& log,
                             ChangeSink on_change);

}  // namespace vmcp::plugin_host::child
