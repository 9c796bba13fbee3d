// Tags of one vCenter by name, and what they are attached to.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "inventory/facts.h"
#include "inventory/inventory.h"

namespace vmcp::inventory {

// Names of categories and tags by id. Which ones there are is asked each time; what an id is called may be
// kNameAge old, and up to kNameAgeMost on a vCenter with very many of them, so that a reading stays small.
// [any thread]
class TagNames {
 public:
  static constexpr milliseconds kNameAge{30'000};
  static constexpr milliseconds kNameAgeMost{300'000};

  struct Name {
    std::string text;
    SteadyTime read_at{};
  };
  // Null when it has to be read. `renewals` is what is left of a reading's share of names that may be renewed
  // before they must be.
  std::shared_ptr<const Name> find(const std::string& id, SteadyTime now, int& renewals) const;
  void put(const std::string& id, std::string text, SteadyTime now);
  // Forgets all of them when there are more: ids of what was deleted would stay for ever.
  void bound(std::size_t most);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Name>> names_;  // guarded by mutex_
};

// What the wanted tags ("category/tag") are attached to, now. One request for the categories, one for each
// category that is wanted, one for all attachments, and one for each name that is not known yet. A tag that
// vCenter does not list, because it does not exist or because this server's account may not read it, is
// attached to nothing. A refused or failed request is an error (Code::unavailable instead of ::not_found).
Result<std::shared_ptr<TagTable>> read_tags(vcenter::Connection& vc,
                                            const std::set<std::string, std::less<>>& wanted, TagNames& names,
                                            const Clock& clock, const Limits& limits, const CallLimits& call);

}  // namespace vmcp::inventory
