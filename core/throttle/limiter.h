// Steps 2, 5 and 10: how often and how many at once. Bounded tables; all buckets of a call give or none does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::throttle {

struct Rate {
  double per_second = 5;
  double burst = 10;
};

struct Settings {
  bool enabled = true;                 // RATE_LIMIT
  Rate identity{5, 10};                // RATE_LIMIT_RPS, RATE_LIMIT_BURST: per identity
  Rate address{50, 200};               // before authentication, per address
  std::size_t max_addresses = 65'536;  // table bound; beyond it the oldest full bucket is evicted
  std::size_t max_identities = 16'384;
  std::size_t tool_parallel = 16;     // default calls at once per tool (a tool may declare less)
  std::size_t vcenter_parallel = 32;  // calls at once per vCenter: at most half of the workers
  std::size_t queue_per_slot = 64;    // callers waiting for one slot; beyond it refused at once
};

// Token buckets. [any thread]; a verdict costs one hash look-up under a sharded lock.
class Limiter {
 public:
  Limiter(Settings settings, const Clock& clock);
  ~Limiter();
  // Step 2. Error throttled: "Rate limit exceeded" + the wait; retry_after_ms is when one token is there.
  Result<void> take_address(std::string_view address);
  // Step 5. `cost` tokens from the identity's bucket (and, later, role's and tool's): all or none.
  Result<void> take(std::string_view identity, std::string_view role, std::string_view tool, double cost);

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
