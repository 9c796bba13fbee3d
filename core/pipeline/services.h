// What the steps work with. Everything outlives the pipeline; app/ owns it.
#pragma once

#include <chrono>
#include <memory>

#include "approvals/approvals.h"
#include "audit/audit.h"
#include "auth/callers.h"
#include "base/clock.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "locks/locks.h"
#include "pipeline/object_watch.h"
#include "pipeline/sealed_rounds.h"
#include "policy/current.h"
#include "tasks/watcher.h"
#include "throttle/limiter.h"
#include "tools/catalog.h"
#include "vcenter/connection.h"

namespace vmcp::pipeline {

struct Settings {
  milliseconds tool_deadline{60'000};   // from the request's arrival to its answer
  milliseconds task_deadline{600'000};  // of one round of a task; it holds a slot that long
  bool verbose_default = false;         // VERBOSE_DEFAULT
  std::size_t max_targets = 200;        // objects that one call may act on
  int max_stuck_per_tool = 4;           // calls that never came back before the tool closes
  std::uint32_t max_rounds = 16;        // of one call
};

struct Services {
  Settings settings;
  const auth::Callers& callers;
  const policy::CurrentPolicy& policy;
  locks::Locks& locks;
  approvals::Approvals& approvals;
  throttle::Limiter& limiter;
  throttle::Slots& slots;
  const tools::CurrentCatalog& catalog;
  vcenter::Fleet& fleet;
  inventory::Inventory& inventory;
  audit::Audit& audit;
  tasks::Watcher& watcher;
  SealedRounds& rounds;
  ObjectWatch& objects;
  const Clock& clock;
  Log& log;
};

}  // namespace vmcp::pipeline
