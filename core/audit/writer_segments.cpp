// The journal thread between two batches: closes segments, and works off what closed ones are owed.
#include <utility>

#include "audit/writer.h"

namespace vmcp::audit {
namespace {

constexpr milliseconds kCloseAgain{30'000};

SteadyTime segment_now() {
  return SteadyTime::clock::now();
}
std::int64_t segment_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(segment_now().time_since_epoch()).count();
}

}  // namespace

// [any thread]
Result<std::string> Writer::rotate(milliseconds limit) {
  Lock lock(mutex_);
  if (!archive_ || exited_ || stopping_)
    return make_error(Code::unavailable, "this server's journal has no segments to close");
  const std::uint64_t mine = ++closings_asked_;
  wake_.notify_one();
  const auto answered = [&] { return closings_answered_ >= mine && (!closing_.ok() || !heads_owed_); };
  if (!done_.wait_for(lock, limit, [&] { return answered() || exited_; }) || closings_answered_ < mine)
    return make_error(Code::timeout, "the segment could not be closed in time; it is tried again");
  return closing_;
}

bool Writer::segments_wait() const {
  return archive_ && (archive_->look_due() || archive_->busy() ||
                      (journal_->closing_due(clock_.wall()) && segment_now() >= close_not_before_));
}

void Writer::keep_segments(Lock& lock) {
  if (!archive_) return;
  if (!healthy_) {
    if (closings_asked_ == closings_answered_) return;
    closing_ = make_error(Code::unavailable, "the audit cannot be written");
    closings_answered_ = closings_asked_;
    done_.notify_all();
    return;
  }
  const bool due = journal_->closing_due(clock_.wall()) && segment_now() >= close_not_before_;
  if (due || closings_asked_ != closings_answered_) close_segment(lock);
  if (!orphaned_) keep_archive(lock);
}

void Writer::close_segment(Lock& lock) {
  const std::uint64_t asked = closings_asked_;
  busy_since_ns_ = segment_ns();
  lock.unlock();
  auto closed = journal_->close_segment(clock_);
  if (closed || closed.error().code != Code::conflict) archive_->look(reports_);
  lock.lock();
  busy_since_ns_ = 0;
  if (orphaned_) return;
  unsynced_bytes_ = journal_->unsynced_bytes();
  heads_owed_ = archive_->owes_heads() && archive_->busy();
  if (closed) {
    closing_ = closed->file;
  } else {
    const Error& why = closed.error();
    closing_ = why;
    if (why.code != Code::conflict) {
      close_not_before_ = segment_now() + kCloseAgain;
      reports_.push_back({LogLevel::error, "audit_segment_not_closed", "cause",
                          why.text + (why.detail.empty() ? "" : ": " + why.detail) + "; it is tried again"});
    }
  }
  closings_answered_ = asked;
  done_.notify_all();
}

// One slice between two batches, so that nobody waits for more than that.
void Writer::keep_archive(Lock& lock) {
  const bool look = archive_->look_due();
  if (!look && !archive_->busy()) return;
  busy_since_ns_ = segment_ns();
  lock.unlock();
  try {
    if (look) archive_->look(reports_);
    if (archive_->busy()) archive_->step(reports_);
  } catch (const std::exception& e) {
    reports_.push_back({LogLevel::error, "audit_archive_failed", "cause", e.what()});
  }
  lock.lock();
  busy_since_ns_ = 0;
  if (orphaned_) return;
  heads_owed_ = archive_->owes_heads() && archive_->busy();
  if (!heads_owed_) done_.notify_all();
}

}  // namespace vmcp::audit
