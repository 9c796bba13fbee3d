// The chain over the file: turns bodies into chained lines, and mends itself after a failure. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "audit/audit.h"
#include "audit/batch.h"
#include "audit/chain.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

class Journal {
 public:
  // `path`: where to look again when the file was removed or replaced; empty = the file is all there is.
  Journal(std::unique_ptr<JournalFile> file, std::string path, ChainMac mac, Head head);

  std::uint64_t next_seq() const { return head_.seq + 1; }
  std::size_t unsynced_bytes() const { return unsynced_bytes_; }

  // Appends every item that is not skipped, under the numbers that number() gave. All or none.
  Result<void> append(const Batch& batch);
  void number(Batch& batch) const;
  Result<void> sync();
  // After a failure: finds the file again, syncs what is pending, and proves with a line of its own (`note`)
  // that writing works.
  Result<void> recover(const std::string& note, const Clock& clock);

 private:
  Result<void> write_note(const std::string& body);
  Result<std::string> find_file();

  std::unique_ptr<JournalFile> file_;
  const std::string path_;
  ChainMac mac_;
  Head head_;
  std::string out_;  // kept for its capacity
  std::size_t unsynced_bytes_ = 0;
};

}  // namespace vmcp::audit
