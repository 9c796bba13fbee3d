// What a process that died has left open: intents that have no outcome.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

struct Unfinished {
  // Of the intent, as it was written: masked.
  std::string request_id, trace_id, identity, role, method, tool, host, peer, plugin_members, args_json;
  std::vector<std::string> targets;
  std::string task;  // vCenter's, when one was accepted
  std::optional<WallTime> at;

  // The OUTCOME that it is owed, of which nothing is known; views this.
  Record unknown() const;
};

struct LookBack {
  std::uint64_t bytes = 64u << 20;  // of the journal's end, over closed segments too
  std::size_t most_open = 10'000;   // intents that are open at one time; of more, the first are forgotten
};

// Reads the end of the journal as it is now, so before anything of this process is in it. Oldest first.
Result<std::vector<Unfinished>> find_unfinished(const std::string& journal_file, LookBack look_back = {});

}  // namespace vmcp::audit
