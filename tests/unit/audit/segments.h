// What tests of a journal in segments share.
#pragma once

#include <string>

#include "audit/chain.h"
#include "audit/segment.h"
#include "unit/audit/fakes.h"

namespace vmcp::test {

inline Secret test_seed() {
  return Secret(std::string(32, 's'));
}

inline audit::Settings segmented_in(const TempDir& dir) {
  audit::Settings settings = settings_in(dir);
  settings.journal_file = dir / "journal.jsonl";
  settings.signing_key = test_seed();
  return settings;
}

// Every line of the closed segments and the live journal, in order.
inline std::string whole_journal(const TempDir& dir) {
  std::string out;
  const auto segments = audit::list_segments(dir / "journal.jsonl");
  REQUIRE(segments);
  for (const audit::Segment& segment : *segments) out += read_file(segment.file);
  return out + read_file(dir / "journal.jsonl");
}

// By its definition, without the program's own reader: each line's code from the line before it, the numbers
// without gap.
inline bool chain_is_whole(const TempDir& dir) {
  audit::ChainMac mac(test_key());
  std::string previous = audit::Head{}.mac;
  std::uint64_t seq = 0;
  for (const std::string& text : split_lines(whole_journal(dir))) {
    const auto line = audit::parse_line(text);
    if (!line || line->seq != ++seq || mac.of(previous, line->json) != line->mac) return false;
    previous = std::string(line->mac);
  }
  return seq > 0;
}

}  // namespace vmcp::test
