// Steps 2, 5 and 10: how often and how many at once. Bounded tables; all buckets of a call give or none does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "throttle/bucket_store.h"

namespace vmcp::throttle {

// Names that a site gave a rate of their own; per_second 0: this name has no limit.
using Rates = std::map<std::string, Rate, std::less<>>;

struct Settings {
  bool enabled = true;    // RATE_LIMIT: every rate below
  Rate identity{5, 10};   // RATE_LIMIT_RPS, RATE_LIMIT_BURST: per identity
  Rate address{50, 200};  // before authentication, per address
  Rate role{0, 10};       // all callers of a role together; per_second 0 here and below: no such limit
  Rate tool{0, 10};       // all callers of a tool together
  Rate target{0, 10};     // all calls that act on one object
  Rate vcenter{0, 10};    // all calls that use one vCenter
  Rates identities, roles, tools, vcenters;               // instead of those above
  std::map<std::string, double, std::less<>> tool_costs;  // the tool's declared cost times this
  std::size_t max_addresses = 65'536;  // table bound; beyond it the oldest full bucket is evicted
  std::size_t max_identities = 16'384;
  std::size_t max_targets = 16'384;
  std::size_t tool_parallel = 16;     // default calls at once per tool (a tool may declare less)
  std::size_t vcenter_parallel = 32;  // calls at once per vCenter: at most half of the workers
  std::size_t queue_per_slot = 64;    // callers waiting for one slot; beyond it refused at once
};

// Token buckets. [any thread]; a verdict costs one hash look-up and one lock per bucket that there is.
// A refusal is Code::throttled; its rule is "limit KIND NAME", its quota that of the bucket with the longest
// wait, and its text says whose limit it is and what to do. It took nothing from any bucket.
class Limiter {
 public:
  // `store` null: this process's own (LocalBuckets). `clock` outlives the limiter.
  Limiter(Settings settings, const Clock& clock, std::unique_ptr<BucketStore> store = nullptr);
  ~Limiter();
  // Step 2. One token of the address.
  Result<void> take_address(std::string_view address);
  // Step 5. cost_of(tool, cost) tokens of each: identity, role, tool. `tool` empty: no tool is called; a name
  // that is no tool's must not be given, or callers would fill the table.
  Result<void> take(std::string_view identity, std::string_view role, std::string_view tool, double cost);
  // Step 8. The same of the vCenter and of each object that is acted on (ids; repeated ones count once).
  Result<void> take_targets(std::string_view vcenter, std::span<const std::string_view> ids,
                            std::string_view tool, double cost);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Concurrency: one permit per running call and tool, one per vCenter. Waiters are served in order,
// round-robin over identities, until their deadline.
class Slots {
 public:
  // Gives its places back when destroyed. [any thread]
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&&) noexcept;
    Permit& operator=(Permit&&) noexcept;
    ~Permit();

   private:
    friend class Slots;
    struct State;
    std::shared_ptr<State> state_;
  };

  explicit Slots(Settings settings);
  ~Slots();
  // Blocks until both places are free, the queue is full (throttled), cancelled, or limits.deadline
  // (throttled, "busy: N calls of this tool are running"). tool_limit 0 = Settings.tool_parallel. `vcenter`
  // empty: no such place is taken (a tool without upstream).
  Result<Permit> acquire(std::string_view identity, std::string_view tool, std::size_t tool_limit,
                         std::string_view vcenter, const CallLimits& limits);
  // As acquire(), but never waits: nullopt-like empty Result (throttled) when it would have to.
  Result<Permit> try_acquire(std::string_view tool, std::size_t tool_limit, std::string_view vcenter);
  // How many callers wait at this moment, for metrics. [any thread]
  std::size_t waiting() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vmcp::throttle
