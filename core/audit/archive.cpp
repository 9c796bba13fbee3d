#include "audit/archive.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "audit/chain.h"
#include "base/crypto.h"
#include "store/small_file.h"

namespace vmcp::audit {
namespace {

constexpr milliseconds kSegmentsLookedAt{3'600'000};
constexpr milliseconds kAfterFailure{30'000};
constexpr std::size_t kMaxHeadFile = 16 * 1024;

// Real time, as in the Writer: this is about patience with a disk.
SteadyTime archive_now() {
  return SteadyTime::clock::now();
}

Error not_as_said(const std::string& what) {
  return make_error(Code::conflict, what);
}

}  // namespace

bool Archive::look_due() const {
  return looked_at_ == SteadyTime{} || archive_now() - looked_at_ >= kSegmentsLookedAt;
}

bool Archive::busy() const {
  return (!owed_.empty() || !old_.empty()) && archive_now() >= not_before_;
}

bool Archive::is_old(const Segment& segment) const {
  if (settings_.keep_days <= 0 || !segment.has_file || !segment.has_head) return false;
  const auto head = read_head(segment.head_file);
  if (!head) return false;
  const auto closed = parse_iso8601(head->head.at);
  return closed && clock_.wall() - *closed > std::chrono::hours(24) * settings_.keep_days;
}

void Archive::look(std::vector<Report>& reports) {
  looked_at_ = archive_now();
  const auto segments = list_segments(settings_.journal_file);
  if (!segments) {
    reports.push_back({LogLevel::error, "audit_segments_unreadable", "cause", segments.error().text});
    return;
  }
  pass_.reset();
  owed_.clear();
  old_.clear();
  for (const Segment& segment : *segments) {
    if (segment.has_file && !segment.has_head && !complained_.contains(segment.file))
      owed_.push_back(segment);
    if (is_old(segment) && !complained_.contains(segment.file)) old_.push_back(segment);
  }
}

void Archive::step(std::vector<Report>& reports) {
  if (!owed_.empty())
    step_head(reports);
  else if (!old_.empty())
    step_retention(reports);
}

Result<std::string> Archive::sha256_of_head_before(const Segment& segment) const {
  const auto segments = list_segments(settings_.journal_file);
  if (!segments) return segments.error();
  const Segment* before = nullptr;
  for (const Segment& s : *segments)
    if (s.last_seq < segment.first_seq && s.has_head) before = &s;
  if (before == nullptr) return std::string();
  const auto text = store::read_file(before->head_file, kMaxHeadFile);
  if (!text) return text.error();
  return to_hex(sha256(*text));
}

Result<bool> Archive::read_on(const Segment& segment) {
  if (!pass_) {
    auto pass = RawPass::open(segment.file);
    if (!pass) return pass.error();
    pass_ = std::move(*pass);
  }
  return pass_->step();
}

// True when it is written.
Result<bool> Archive::make_head(const Segment& segment) {
  const auto at_end = read_on(segment);
  if (!at_end || !*at_end) return at_end;
  const auto first = parse_line(pass_->first_line()), last = parse_line(pass_->last_line());
  if (!first || !last || first->seq != segment.first_seq || last->seq != segment.last_seq)
    return not_as_said("it does not hold the records that its name says");
  const auto before = sha256_of_head_before(segment);
  if (!before) return before.error();
  SegmentHead head;
  head.first_seq = segment.first_seq;
  head.last_seq = segment.last_seq;
  head.records = pass_->records();
  head.bytes = pass_->bytes();
  head.sha256 = pass_->sha256();
  const std::string_view stated = stated_previous(*first);
  head.first_previous = stated.empty() ? Head{}.mac : std::string(stated);
  head.last_mac = std::string(last->mac);
  head.previous_head_sha256 = *before;
  head.at = iso8601(clock_.wall());
  point("hashed");
  if (auto ok = store::replace_file(segment.head_file, signed_text(head, signer_)); !ok) return ok.error();
  point("headed");
  return true;
}

void Archive::step_head(std::vector<Report>& reports) {
  const Segment segment = owed_.front();
  const auto made = make_head(segment);
  if (made && !*made) return;
  pass_.reset();
  if (made) {
    owed_.pop_front();
    reports.push_back({LogLevel::info, "audit_segment_closed", "segment", segment.file});
    return;
  }
  const std::string why = segment.file + ": " + made.error().text;
  if (made.error().code == Code::conflict) {  // nothing will mend it
    owed_.pop_front();
    complained_.insert(segment.file);
    reports.push_back({LogLevel::error, "audit_segment_not_signed", "cause", why});
    return;
  }
  not_before_ = archive_now() + kAfterFailure;
  if (complained_.insert(segment.head_file).second)
    reports.push_back({LogLevel::error, "audit_head_not_written", "cause", why});
}

// True: it is what its head says, byte by byte.
Result<bool> Archive::check_old(const Segment& segment) {
  if (!pass_) {
    auto head = read_head(segment.head_file);
    if (!head) return not_as_said(head.error().text);
    if (!head->signature_fits || head->head.public_key != signer_.public_key() || head->head.live)
      return not_as_said("its head is not signed with this server's key");
    old_head_ = std::move(*head);
  }
  const auto at_end = read_on(segment);
  if (!at_end || !*at_end) return at_end;
  if (pass_->sha256() != old_head_->head.sha256)
    return not_as_said("its bytes are not those that its head was signed for");
  return true;
}

void Archive::step_retention(std::vector<Report>& reports) {
  const Segment segment = old_.front();
  auto verified = check_old(segment);
  if (verified && !*verified) return;
  pass_.reset();
  old_.pop_front();
  if (verified && ::unlink(segment.file.c_str()) != 0)
    verified = make_error(Code::unavailable, std::string("cannot delete it: ") + std::strerror(errno));
  if (verified) {
    reports.push_back({LogLevel::info, "audit_segment_deleted", "segment", segment.file});
  } else if (complained_.insert(segment.file).second) {
    reports.push_back({LogLevel::error, "audit_segment_kept", "cause",
                       segment.file + ": " + verified.error().text +
                           "; it is older than audit.keep_days and is kept: run `audit verify`"});
  }
}

}  // namespace vmcp::audit
