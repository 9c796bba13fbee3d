// One process with one plugin in it: `vsphere-mcp-runner`, its control channel, its lanes, its end.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "plugin_host/carrier.h"
#include "plugin_host/child/channel.h"
#include "plugin_host/child/lane.h"
#include "plugin_host/child/output.h"
#include "plugin_host/host_api.h"

namespace vmcp::plugin_host::child {

// What becomes of a machine whose kernel lacks a part of the sandbox: a decision, not a silence.
enum class Sandbox { required, best_effort, off };

struct ProcessSettings {
  std::string runner;     // path of the program
  int library_fd = -1;    // of the library; stays the caller's, and open
  std::string plugin_id;  // for the log
  unsigned lanes = 16;    // rounds at once; more wait
  std::uint64_t memory_bytes = 2ull << 30;
  Sandbox sandbox = Sandbox::required;
  milliseconds ready_within{10'000};
  milliseconds stop_within{2'000};
};

// What the process told besides answers. Called on the process's own thread; outlive the process.
struct Listeners {
  std::function<void(int level, std::string_view message)> on_log;
  std::function<void(Change::Kind kind, std::string_view uri)> on_change;
  std::function<void(std::string_view line)> on_output;  // what it wrote to stdout or stderr
  // Once, when it ended unasked, or was retired; in words. Must not end the process's last owner.
  std::function<void(const std::string& how)> on_exit;
};

class Process {
 public:
  // Starts the program, has it load the library, open it (its declarations are the manifest's, or it refuses)
  // and start it with the configuration. The error is the reason, in the plugin's or the runner's words.
  static Result<std::shared_ptr<Process>> start(const ProcessSettings& settings, std::string_view manifest,
                                                std::string_view config_json, Listeners listeners);
  // Asks it to quiesce and close; what has not ended in time is killed.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Runs one round on the calling thread. Ended::nonsense has killed the process; about Ended::hung the
  // caller decides. [any]
  Ended run(const Round& round, Invocation& invocation, vmcp_status& status);

  // No new round should be given to it: on_exit is called, on this thread. [any]
  void retire();
  // Lets other rounds go on for so long, then kills. [any]
  void leave_to_others(milliseconds at_most);
  void kill();                            // [any]
  bool has_ended() const;                 // [any]
  std::string ending(milliseconds wait);  // "was ended by signal 11 (Segmentation fault)"; waits for the news
  pid_t pid() const { return pid_; }
  const std::string& sandbox_report() const { return sandbox_report_; }

 private:
  Process(const ProcessSettings& settings, Listeners listeners);
  Result<void> spawn();
  Result<void> introduce(std::string_view manifest, std::string_view config_json);
  void listen();  // the thread
  void take_control_message();
  Channel::State hear(int at_most_ms);
  void reap();
  void report_loss(const std::string& how);
  Lane* take_lane(const Invocation& invocation);
  void give_back(Lane* lane, bool usable);

  const ProcessSettings settings_;
  const Listeners listeners_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  Output output_;                         // read by who hears the control channel
  std::unique_ptr<Channel> control_;      // received on by listener_ alone, sent on by who starts and ends
  std::atomic<bool>* cancels_ = nullptr;  // one per lane, in memory that the child sees too
  std::string sandbox_report_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Lane*> free_lanes_;
  std::size_t rounds_ = 0;
  bool ended_ = false, stopping_ = false;
  int exit_status_ = 0;
  std::atomic<bool> reported_{false};
  std::thread listener_;
};

}  // namespace vmcp::plugin_host::child
