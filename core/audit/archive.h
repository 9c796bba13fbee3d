// What happens to closed segments behind the journal's back: each gets its signed head, and, when it is old
// enough and proves to be what its head says, is deleted. In slices on the journal thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "audit/raw_pass.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "base/clock.h"
#include "base/log.h"

namespace vmcp::audit {

// For the operational log; written when nobody waits for the journal.
struct Report {
  LogLevel level;
  std::string event;
  std::string key;
  std::string value;
};

class Archive {
 public:
  struct Settings {
    std::string journal_file;
    std::int64_t keep_days = 0;                      // 0 = for ever
    std::function<void(std::string_view)> at_point;  // see audit::Settings
  };
  Archive(Settings settings, Signer signer, const Clock& clock)
      : settings_(std::move(settings)), signer_(std::move(signer)), clock_(clock) {}

  // Looks for segments without a head and for old ones: at the start, after each closing, and every hour.
  void look(std::vector<Report>& reports);
  bool look_due() const;
  bool owes_heads() const { return !owed_.empty(); }
  // Something is to be done now.
  bool busy() const;
  // A few milliseconds of it.
  void step(std::vector<Report>& reports);

 private:
  void step_head(std::vector<Report>& reports);
  void step_retention(std::vector<Report>& reports);
  // One slice of the segment's bytes. True: they were read to the end.
  Result<bool> read_on(const Segment& segment);
  Result<bool> make_head(const Segment& segment);
  Result<bool> check_old(const Segment& segment);
  Result<std::string> sha256_of_head_before(const Segment& segment) const;
  bool is_old(const Segment& segment) const;
  void point(std::string_view name) const {
    if (settings_.at_point) settings_.at_point(name);
  }

  const Settings settings_;
  const Signer signer_;
  const Clock& clock_;
  std::deque<Segment> owed_;  // their heads, in order
  std::deque<Segment> old_;   // to be deleted, if they may
  std::unique_ptr<RawPass> pass_;
  std::optional<ReadHead> old_head_;
  std::set<std::string> complained_;  // each is complained of once
  SteadyTime looked_at_{};
  SteadyTime not_before_{};  // after a failure
};

}  // namespace vmcp::audit
