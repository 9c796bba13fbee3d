// The host's own tables, with an eye on how a plugin uses them.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "plugin_host/host_api.h"
#include "plugin_host/invocation.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_check {

// What the operator would read: error lines that the plugin wrote.
class HeardLog final : public Log {
 public:
  void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) override;
  std::vector<std::string> take_errors();  // [any]

 private:
  std::mutex mutex_;
  std::vector<std::string> errors_;
};

// A call that notices misuse. Must stay alive as long as the plugin may run, also after the call has ended:
// then what is still called with it is seen, instead of reading freed memory.
struct ObservedCall : vmcp_call {
  explicit ObservedCall(plugin_host::Invocation& of) : vmcp_call{&of} {}
  const std::thread::id worker = std::this_thread::get_id();
  std::atomic<bool> ended{false}, over_limit{false}, wrong_thread{false}, used_after_end{false};
  std::atomic<std::size_t> used{0};  // functions of the host, on any thread
  std::size_t cancel_at = 0;         // the call is cancelled when `used` becomes this; 0: never
  SteadyTime cancelled_at{};         // when that happened
};

// A vmcp_host for one instance. Calls that pass through its tables must be ObservedCalls.
class ObservedHost {
 public:
  ObservedHost(const std::string& plugin_id, Log& log);
  ObservedHost(const ObservedHost&) = delete;
  ObservedHost& operator=(const ObservedHost&) = delete;
  const vmcp_host* table() const { return &table_; }
  void live(bool now) { inner_.live(now); }
  void own_schemes(std::vector<std::string> schemes) { inner_.own_schemes(std::move(schemes)); }
  std::set<std::string> asked() const;  // interface ids, the host's or not

 private:
  struct Table : vmcp_host {
    ObservedHost* owner = nullptr;
  };
  static const void* query(const vmcp_host* host, const char* iface);

  plugin_host::HostSide inner_;
  Table table_;
  mutable std::mutex mutex_;
  std::set<std::string> asked_;
};

}  // namespace vmcp::plugin_check
