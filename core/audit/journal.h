// The chain over the file: turns bodies into chained lines, and mends itself after a failure. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "audit/audit.h"
#include "audit/batch.h"
#include "audit/chain.h"
#include "audit/segment.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

class Journal {
 public:
  struct Place {
    std::string path;  // where to look again when the file was removed or replaced; empty = the file is all
    std::uint64_t segment_bytes = 0;
    milliseconds segment_age{0};
    bool segmented = false;
    std::function<void(std::string_view)> at_point;  // see Settings
  };
  Journal(std::unique_ptr<JournalFile> file, Place place, ChainMac mac, Head head);
  // A new file behind a closed segment: its first line states what it goes on from.
  Result<void> begin(const Clock& clock);

  bool segmented() const { return place_.segmented; }
  // The live segment is as long or as old as one should be.
  bool closing_due(WallTime now) const;
  // Closes the live segment and goes on in a new file. Error: everything goes on in the old one, or recover()
  // mends it. Code::conflict: nothing is in it. The process may end at any point of it: what is then found is
  // continued (recover_journal()).
  Result<Segment> close_segment(const Clock& clock);

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
  // What is known of the file that is being written.
  struct Live {
    std::uint64_t bytes = 0;
    std::uint64_t first_seq = 0;  // 0: empty, or its first line is no record
    std::uint64_t first_line_bytes = 0;
    bool goes_on = false;  // the first line states what it goes on from
    WallTime begun{};
    bool empty() const { return bytes == 0 || (goes_on && bytes == first_line_bytes); }
  };
  Result<void> write_note(const std::string& body);
  Result<std::string> find_file();
  void look_at_file();
  bool owes_first_line() const;
  void note_first(std::string_view line);
  void point(std::string_view name) const {
    if (place_.at_point) place_.at_point(name);
  }

  std::unique_ptr<JournalFile> file_;
  const Place place_;
  Live live_;
  ChainMac mac_;
  Head head_;
  std::string out_;  // kept for its capacity
  std::size_t unsynced_bytes_ = 0;
};

}  // namespace vmcp::audit
