// Steps 2, 5 and 10: how often and how many at once. Bounded tables; all buckets of a call give or none does.
#pragma once

#include <array>
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
  std::uint32_t identical_calls = 0;  // the same call by the same identity; 0: not watched
  milliseconds identical_window{60'000};
  bool shadow = false;                 // refuse nothing but addresses; say what would have been refused
  std::size_t max_addresses = 65'536;  // table bound; beyond it the oldest full bucket is evicted
  std::size_t max_identities = 16'384;
  std::size_t max_targets = 16'384;
  std::size_t tool_parallel = 16;     // default calls at once per tool (a tool may declare less)
  std::size_t vcenter_parallel = 32;  // calls at once per vCenter: at most half of the workers
  std::size_t queue_per_slot = 64;    // callers waiting for one slot; beyond it refused at once
};

// In shadow mode, of a call that passed: the rule that would have refused it. Otherwise empty.
using Shadow = std::string;

// What can refuse: the kinds of buckets, and one's own repetition.
inline constexpr std::size_t kIdentical = kKinds, kReasons = kKinds + 1;

// Token buckets. [any thread]; a verdict costs one hash look-up and one lock per bucket that there is.
// A refusal is Code::throttled; its rule is "limit KIND NAME", its quota that of the bucket with the longest
// wait, and its text says whose limit it is and what to do. It took nothing from any bucket.
class Limiter {
 public:
  // `clock` and `log` (null: none) outlive the limiter. `store` null: this process's own (LocalBuckets).
  Limiter(Settings settings, const Clock& clock, Log* log = nullptr,
          std::unique_ptr<BucketStore> store = nullptr);
  ~Limiter();
  // Step 2. One token of the address; enforced in shadow mode too.
  Result<void> take_address(std::string_view address);
  // Step 5. `cost` times the site's factor, of each: identity, role, tool. `tool` empty: no tool is called; a
  // name that is no tool's must not be given, or callers would fill the table.
  Result<Shadow> take(std::string_view identity, std::string_view role, std::string_view tool, double cost);
  // Step 5. Is this call one too many of the same? See repetition.h; the rule is "limit identical calls".
  Result<Shadow> take_identical(std::string_view identity, std::string_view tool, std::string_view arguments);
  // Step 8. As take(), of the vCenter and of each object that is acted on (ids; repeated ones count once).
  Result<Shadow> take_targets(std::string_view vcenter, std::span<const std::string_view> ids,
                              std::string_view tool, double cost);

  // Refusals so far by what refused: a Kind as number, or kIdentical. In shadow mode: what would have been.
  std::array<std::uint64_t, kReasons> refusals() const;

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

  // `clock` measures rests of a vCenter; null: the machine's. Deadlines are the machine's in any case.
  explicit Slots(Settings settings, const Clock* clock = nullptr);
  ~Slots();
  // Blocks until both places are free, the queue is full (throttled), cancelled, or limits.deadline
  // (throttled, "busy: N calls of this tool are running"). tool_limit 0 = Settings.tool_parallel. `vcenter`
  // empty: no such place is taken (a tool without upstream).
  Result<Permit> acquire(std::string_view identity, std::string_view tool, std::size_t tool_limit,
                         std::string_view vcenter, const CallLimits& limits);
  // As acquire(), but never waits: nullopt-like empty Result (throttled) when it would have to.
  Result<Permit> try_acquire(std::string_view tool, std::size_t tool_limit, std::string_view vcenter);
  // What a vCenter answers, told by whoever talks to it. An overloaded one (429, 503) loses half of its
  // places, at most once a second, and nobody new begins for as long as it asked (at most 60 s; 0: it did not
  // say); ten other answers give one place back. [any thread], never blocks for long.
  void answered(std::string_view vcenter);
  // How many places are left; 0: nothing changed by this answer.
  std::size_t overloaded(std::string_view vcenter, milliseconds retry_after);
  std::size_t allowed(std::string_view vcenter) const;  // places that it has now
  // How many callers wait at this moment, for metrics. [any thread]
  std::size_t waiting() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vmcp::throttle
