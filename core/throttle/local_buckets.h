// The buckets of one process: a bounded table for each kind. A call locks the shards of all its keys at once,
// in one order, so that no half-taken call can be seen and no two calls wait for each other.
#pragma once

#include <array>
#include <span>

#include "throttle/bucket_store.h"
#include "throttle/bucket_table.h"

namespace vmcp::throttle {

// Indexed by Kind; keys beyond these share a bucket (bucket_table.h).
using MaxKeys = std::array<std::size_t, kKinds>;

// [any thread] `clock` outlives it. A call for keys that are known allocates nothing.
class LocalBuckets final : public BucketStore {
 public:
  LocalBuckets(const MaxKeys& max_keys, const Clock& clock);

  Verdict take(std::span<const Take> takes) override;
  std::size_t size(Kind kind) const { return tables_[static_cast<std::size_t>(kind)].size(); }

 private:
  class Locked;
  Verdict take_locked(std::span<const Take> takes, std::span<const Name> names);
  BucketTable& table(Kind kind) { return tables_[static_cast<std::size_t>(kind)]; }

  const Clock& clock_;
  std::array<BucketTable, kKinds> tables_;
};

}  // namespace vmcp::throttle
