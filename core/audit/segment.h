// Closed segments of the journal: their names, and the signed heads that say what they held.
//   journal.jsonl                           the live one
//   journal-<first>-<last>.jsonl            closed; the records' numbers, 20 digits each
//   journal-<first>-<last>.head             its head, which stays when the segment is deleted one day
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/signer.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

struct Segment {
  std::uint64_t first_seq = 0, last_seq = 0;
  std::string file;  // where it is, or was
  std::string head_file;
  bool has_file = false, has_head = false;
};

// Where a segment of this journal with these records belongs.
Segment segment_of(const std::string& journal_file, std::uint64_t first_seq, std::uint64_t last_seq);
// Those beside the journal, in order. Error: the directory cannot be read.
Result<std::vector<Segment>> list_segments(const std::string& journal_file);

// What a head states; signed over every byte before the signature.
struct SegmentHead {
  // Of the live journal, made by `audit head`: has no first_seq, records, bytes, sha256 and first_previous.
  bool live = false;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t records = 0, bytes = 0;
  std::string sha256;                // of the segment's bytes
  std::string first_previous;        // the code that its first record goes on from
  std::string last_mac;              // the code of its last one
  std::string previous_head_sha256;  // of the head file before this one; empty = none before
  std::string at;                    // when it was closed, or looked at
  std::string public_key;
  std::string signature;
};
// {"kind":"segment",…,"public_key":…,"signature":…}\n; fills in the last two.
std::string signed_text(SegmentHead& head, const Signer& signer);

struct ReadHead {
  SegmentHead head;
  bool signature_fits = false;  // by the key that it names itself; whose that is, the reader must know
  std::string file_sha256;
};
// Error: it is no head at all.
Result<ReadHead> parse_head(std::string_view text);
Result<ReadHead> read_head(const std::string& file);

}  // namespace vmcp::audit
