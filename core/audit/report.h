// What was done, in sums: per identity and tool, what was refused by which rule, and what began and has no
// end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/browse.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

struct Sums {
  std::uint64_t ok = 0, failed = 0, unknown = 0, refused = 0;
  std::uint64_t calls() const { return ok + failed + unknown + refused; }
};

// An INTENT without OUTCOME.
struct Orphan {
  std::string at, request, identity, tool, task;
  std::vector<std::string> targets;
};

struct ActivityReport {
  static constexpr std::size_t kMaxPairs = 10'000, kMaxRules = 1'000, kMaxOrphans = 10'000;
  std::uint64_t records = 0;
  std::string first_at, last_at;                                  // of those that were counted
  std::map<std::pair<std::string, std::string>, Sums> by_caller;  // (identity, tool or method)
  std::vector<std::pair<std::string, std::uint64_t>> refusals;    // by rule, most first
  std::vector<Orphan> orphans;
  std::uint64_t orphans_not_kept = 0;  // intents beyond kMaxOrphans that were open at one time
};

// Counts what lies in [since, until). Whether an intent found its end is looked at in all that follows it.
// Pairs and rules beyond the bounds are counted together as "(others)".
Result<ActivityReport> activity(const std::string& journal_file, std::optional<WallTime> since,
                                std::optional<WallTime> until);

}  // namespace vmcp::audit
