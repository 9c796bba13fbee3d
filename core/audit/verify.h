// Reading a journal back: is every line what was written, where it was written?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcp::audit {

struct Fault {
  std::uint64_t line = 0;    // 1 = the first
  std::uint64_t offset = 0;  // of the line's first byte in the file
  std::string what;
};

struct VerifyReport {
  static constexpr std::size_t kMaxFaults = 100;

  std::uint64_t records = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::string head;           // code of the last line: two copies with one head hold the same records
  std::vector<Fault> faults;  // the first kMaxFaults
  std::uint64_t fault_count = 0;
  std::uint64_t torn_bytes = 0;  // an unfinished last line: a crash, or a writer at work; no fault

  bool intact() const { return fault_count == 0; }
};

// Finds lines that were changed, removed, inserted, moved, or cut. It cannot see that lines at the very end
// were removed: for that, compare `head` and `last_seq` with what is kept elsewhere. Reads in one pass with
// bounded memory; never parses the lines. Error: the file cannot be read.
Result<VerifyReport> verify_journal(const std::string& path, const Secret& key);

}  // namespace vmcp::audit
