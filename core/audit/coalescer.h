// Keeps a flood of refusals from becoming a flood of lines.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/audit.h"
#include "base/clock.h"

namespace vmcp::audit {

// Within a second, the first refusal of its kind is a line; the others like it are counted into one more line
// with "repeated". Alike is: same peer, step, code, identity, tool and rule. A caller can invent tool names
// and a botnet has many peers, so kinds are bounded: beyond kMaxKinds only peer, step and code are told
// apart, beyond as many again only step and code. [any thread]
class Coalescer {
 public:
  static constexpr std::size_t kMaxKinds = 256;

  Coalescer(const Clock& clock, std::size_t max_args_bytes)
      : clock_(clock), max_args_bytes_(max_args_bytes) {}

  // Appends the bodies that are to be written now to `bodies`.
  void refused(const Record& record, std::vector<std::string>& bodies);
  // Appends the counts of a second that is over; of the running one too if `all`.
  void collect(bool all, std::vector<std::string>& bodies);
  // True while something may be left to collect.
  bool pending() const;

 private:
  struct Kind {
    std::string body;  // of the first
    std::uint64_t repeated = 0;
  };
  void collect_locked(bool all, std::vector<std::string>& bodies);
  void count_coarsely(const Record& record);

  const Clock& clock_;
  const std::size_t max_args_bytes_;
  mutable std::mutex mutex_;
  SteadyTime began_{};
  std::unordered_map<std::string, Kind> fine_, coarse_;
};

}  // namespace vmcp::audit
