// Follows vCenter tasks that nobody's thread waits for: writes the OUTCOME that is still owed after a reply
// has left, or tells who parked a call until its task ends.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include "vcenter/connection.h"

namespace vmcp::tasks {

struct Settings {
  milliseconds interval{2'000};          // between two looks at one task, at most
  milliseconds give_up{24 * 3'600'000};  // a task older than this is recorded as unknown
  std::size_t max_tasks = 1'000;         // beyond it a task is recorded as unknown at once
};

class Watcher {
 public:
  // `audit`, `clock` and `log` outlive the watcher.
  Watcher(Settings settings, audit::Audit& audit, const Clock& clock, Log& log);
  // Records what is still running as unknown, and stops.
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // `record` is copied; its event, ok, error and duration are set when the task ends. `connection` outlives
  // the watcher. [any]
  void follow(vcenter::Connection& connection, const std::string& task, const audit::Record& record,
              SteadyTime started);
  // `ended` is called once, on the watcher's thread and maybe after long, with the task's TaskInfo; empty
  // when vCenter no longer knows it or it took too long. Not at all when the watcher stops first. It must not
  // block. False: too many are followed. [any]
  using Ended = std::function<void(const std::string& info_json)>;
  bool follow(vcenter::Connection& connection, const std::string& task, Ended ended);
  std::size_t following() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::tasks
