// All calls that wait for a second person, and the consents that were given and not used yet. Kept in the
// state directory: a consent outlives the process, and is used once even when that dies.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "approvals/approval.h"
#include "base/result.h"

namespace vmcp::approvals {

struct Settings {
  milliseconds life{3'600'000};  // from the asking to the use
  std::size_t most = 1'000;      // that wait or were decided and not used
  std::size_t most_each = 50;    // of one identity
};

// [any thread]
class Approvals {
 public:
  // `clock` outlives this.
  Approvals(Settings settings, const Clock& clock) : settings_(settings), clock_(clock) {}

  // From and to `file`, which need not be there. Error: it cannot be understood, so that nobody knows what
  // was consented to. Before the first request.
  Result<void> keep_in(const std::string& file);

  // Notes the call down, or gives what was noted of the very same one (`binding`) before. `id`, `state`,
  // `asked` and `expires` are filled in here. Code::throttled: too many wait.
  Result<Approval> ask(Approval draft);
  // The decision of `by`, who must not be the one who asked (Code::denied). Code::not_found: none of that id,
  // or its time is over. Code::conflict: it was decided before.
  Result<Approval> decide(std::string_view id, bool approve, const std::string& by,
                          const std::string& reason);
  // What was said of the call with this binding; nothing when it was never asked or its time is over.
  std::optional<Approval> find(std::string_view binding) const;
  // Takes an approved one out, for good: on the disk when it returns. Code::needs_confirm: there is none.
  Result<Approval> use(std::string_view binding);

  // Not over yet, oldest first.
  std::vector<Approval> all() const;

 private:
  using Set = std::vector<Approval>;
  Result<void> put(Set next);  // with mutex_ held
  Set alive() const;           // with mutex_ held

  const Settings settings_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::string file_;
  Set set_;
};

}  // namespace vmcp::approvals
