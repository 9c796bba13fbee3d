// Reading a journal back: is every line what was written, where it was written?
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "audit/segment.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcp::audit {

struct Fault {
  std::uint64_t line = 0;    // 1 = the first; 0: of the file as a whole
  std::uint64_t offset = 0;  // of the line's first byte in the file
  std::string what;
  std::string file = {};  // of verify_archive() alone
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

// A head that was kept where nobody who can write the journal can write.
struct KeptHead {
  std::string name;
  ReadHead head;
};

struct ArchiveToVerify {
  std::string journal_file;        // the live journal; its closed segments lie beside it
  std::vector<std::string> files;  // instead of that: these alone, of which the first may begin anywhere
  Secret chain_key;                // empty: the lines' codes are not checked, the heads and numbers are
  std::string public_key;          // 64 hex digits that signed every head; empty: the first head's own
  std::vector<KeptHead> kept;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // bytes; may be empty
};

struct ArchiveReport {
  std::uint64_t segments = 0;  // closed ones that were read
  std::uint64_t deleted = 0;   // closed ones of which the head alone is there: their time was over
  std::uint64_t records = 0, bytes = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::string last_mac;
  std::string public_key;      // that signed the heads
  bool codes_checked = false;  // a chain key was there
  std::uint64_t torn_bytes = 0;
  std::vector<Fault> faults;  // the first VerifyReport::kMaxFaults
  std::uint64_t fault_count = 0;
  std::vector<std::string> notes;  // no faults, but what a reader should know

  bool intact() const { return fault_count == 0; }
};

// All closed segments and the live journal as one chain: the bytes of each against its head, the heads'
// signatures and their own chain, every line's code, the borders, and heads that were kept elsewhere, without
// which a cut tail and a journal that somebody with the keys wrote anew do not show. May run beside the
// server. Error: something cannot be read.
Result<ArchiveReport> verify_archive(const ArchiveToVerify& what);

}  // namespace vmcp::audit
