#include "audit/writer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "audit/encode.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kMaxQueueBytes = 8u << 20;
constexpr std::size_t kEagerBytes = 256u << 10;  // do not linger beyond
constexpr std::size_t kMaxUnsynced = 1u << 20;
constexpr milliseconds kLinger{5};  // gathers lines that nobody waits for
constexpr milliseconds kSyncEvery{1000};
constexpr milliseconds kRetryEvery{500};
constexpr milliseconds kViewQuiet{10'000};
constexpr milliseconds kSegmentLook{60'000};  // at the age of a segment that nobody writes to

std::int64_t ns(SteadyTime t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}
SteadyTime steady_now() {
  return SteadyTime::clock::now();
}

}  // namespace

// Waiting is done in real time, whatever the Clock says: the disk does not know of a test's clock.
Writer::Writer(Parts parts, const Clock& clock, Log& log)
    : journal_(std::move(parts.journal)),
      archive_(std::move(parts.archive)),
      view_(std::move(parts.view)),
      coalescer_(std::move(parts.coalescer)),
      sync_timeout_(parts.sync_timeout),
      clock_(clock),
      log_(log),
      synced_at_(steady_now()) {}

void Writer::start() {
  std::thread([self = shared_from_this()] { self->run(); }).detach();
}

// --- callers' side ---

void Writer::push(std::string_view body, Waiter* waiter, bool retry, bool viewed, Lock& lock) {
  const bool was_empty = queue_.empty();
  const std::size_t before = queue_.bytes.size();
  Item& item = queue_.add(body, ++pushed_);
  item.waiter = waiter;
  item.retry = retry;
  item.viewed = viewed;
  const bool eager = waiter || (before < kEagerBytes && queue_.bytes.size() >= kEagerBytes);
  if (waiter) {
    ++queued_waiters_;
    waiter->bell = queue_bell_;
  }
  if (eager) urgent_ = true;
  const bool notify = thread_waits_ && (was_empty || eager);
  lock.unlock();
  if (notify) wake_.notify_one();
}

bool Writer::wait_for_space(Lock& lock) {
  if (queue_.bytes.size() < kMaxQueueBytes) return true;
  if (!healthy_ || stopping_ || !space_.wait_for(lock, sync_timeout_, [&] {
        return stopping_ || queue_.bytes.size() < kMaxQueueBytes;
      })) {
    healthy_ = false;
    ++lost_;
    return false;
  }
  return true;
}

void Writer::buffered(std::string_view body, bool always) {
  Lock lock(mutex_);
  if (orphaned_ || exited_) return;
  if (always && queue_.bytes.size() < 2 * kMaxQueueBytes) return push(body, nullptr, true, false, lock);
  if (wait_for_space(lock)) push(body, nullptr, true, false, lock);
}

void Writer::note(std::string_view body) {
  Lock lock(mutex_);
  push(body, nullptr, true, true, lock);
}

bool Writer::stuck() const {
  const std::int64_t since = busy_since_ns_.load(std::memory_order_relaxed);
  return since != 0 && ns(steady_now()) - since > std::chrono::nanoseconds(sync_timeout_).count();
}

bool Writer::healthy() const {
  return healthy_.load(std::memory_order_relaxed) && !stuck();
}

Waiter Writer::durable(std::string_view body, bool keep) {
  Waiter refused;
  refused.state = Waiter::State::refused;
  const SteadyTime deadline = steady_now() + sync_timeout_;
  Lock lock(mutex_);
  if (!journal_ || stopping_ || exited_ || stuck() || queue_.bytes.size() >= kMaxQueueBytes) {
    lock.unlock();
    if (keep) buffered(body, true);
    return refused;
  }
  Waiter waiter;
  push(body, &waiter, keep, false, lock);
  lock.lock();
  if (bells_[waiter.bell].wait_until(lock, deadline, [&] { return waiter.state != Waiter::State::pending; }))
    return waiter;

  // Too late. Whatever becomes of the line, it no longer knows of us.
  healthy_ = false;
  for (Batch* batch : {&queue_, &inflight_})
    for (Item& item : batch->items) {
      if (item.waiter != &waiter) continue;
      item.waiter = nullptr;
      if (batch == &queue_) {
        --queued_waiters_;
        if (!keep) item.skip = true;
        return refused;
      }
      waiter.seq = item.seq;
    }
  waiter.state = Waiter::State::doubtful;
  return waiter;
}

std::uint64_t Writer::finished_ticket() const {
  if (!inflight_.empty()) return inflight_.items.front().ticket - 1;
  if (!queue_.empty()) return queue_.items.front().ticket - 1;
  return pushed_;
}

bool Writer::flush(milliseconds limit) {
  const SteadyTime deadline = steady_now() + limit;
  std::vector<std::string> counts;
  coalescer_->collect(true, counts);
  for (const std::string& body : counts) buffered(body);
  Lock lock(mutex_);
  if (exited_) return finished_ticket() == pushed_;
  const std::uint64_t target = pushed_;
  sync_wanted_ = true;
  wake_.notify_one();
  if (!done_.wait_until(lock, deadline, [&] { return synced_ticket_ >= target || exited_; })) return false;
  if (synced_ticket_ < target) return false;
  lock.unlock();
  return view_->drain(deadline);
}

void Writer::stop(milliseconds limit) {
  Lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  if (!done_.wait_for(lock, limit, [&] { return exited_; })) orphaned_ = true;
}

// --- the thread ---

void Writer::run() {
  Lock lock(mutex_);
  while (!orphaned_) {
    wait_for_work(lock);
    if (orphaned_) break;
    const bool last = stopping_;
    if (coalescer_->pending()) {
      lock.unlock();
      std::vector<std::string> counts;
      coalescer_->collect(last, counts);
      lock.lock();
      for (const std::string& body : counts) queue_.add(body, ++pushed_);
    }
    work(lock);
    if (!last && !orphaned_) keep_segments(lock);
    if (orphaned_) break;
    const bool finished = last && (queue_.empty() || !healthy_);
    if (finished && !queue_.empty())
      reports_.push_back(
          {LogLevel::error, "audit_lost_at_exit", "lines", std::to_string(queue_.items.size())});
    lock.unlock();
    watch_view();
    print_reports();
    lock.lock();
    if (finished) break;
  }
  exited_ = true;
  if (closings_asked_ != closings_answered_) {
    closing_ = make_error(Code::unavailable, "the server is stopping");
    closings_answered_ = closings_asked_;
  }
  refuse_queued();
  done_.notify_all();
  space_.notify_all();
}

void Writer::wait_for_work(Lock& lock) {
  const auto needed = [&] {
    return stopping_ || orphaned_ || queued_waiters_ > 0 || closings_asked_ != closings_answered_ ||
           (healthy_ && (sync_wanted_ || !queue_.empty() || segments_wait()));
  };
  thread_waits_ = true;
  if (!needed()) {
    const bool soon = !healthy_ || unsynced_bytes_ > 0 || view_complained_ || coalescer_->pending();
    if (soon)
      wake_.wait_for(lock, healthy_ ? kSyncEvery : kRetryEvery, needed);
    else if (archive_)
      wake_.wait_for(lock, kSegmentLook, needed);
    else
      wake_.wait(lock, needed);
  }
  const auto hurry = [&] {
    return closings_asked_ != closings_answered_ || urgent_ || stopping_ || sync_wanted_;
  };
  if (!hurry() && !queue_.empty()) wake_.wait_for(lock, kLinger, hurry);
  // A view that is slow but works is waited for, until the queue is full or somebody waits for the disk.
  while (queued_waiters_ == 0 && !stopping_ && !sync_wanted_ && view_->catching_up())
    wake_.wait_for(lock, kLinger, [&] { return queued_waiters_ > 0 || stopping_ || sync_wanted_; });
  thread_waits_ = false;
  urgent_ = false;
}

void Writer::work(Lock& lock) {
  if (!healthy_ && !recovered(lock)) return;
  std::swap(queue_, inflight_);
  queued_waiters_ = 0;
  queue_bell_ ^= 1;
  const bool waited_for = std::any_of(inflight_.items.begin(), inflight_.items.end(),
                                      [](const Item& item) { return item.waiter != nullptr; });
  const bool sync = waited_for || sync_wanted_ || stopping_ || unsynced_bytes_ > kMaxUnsynced ||
                    (unsynced_bytes_ > 0 && steady_now() - synced_at_ >= kSyncEvery);
  sync_wanted_ = false;
  if (inflight_.empty() && !sync) return;
  bool written = true;
  Result<void> ok;
  if (journal_) {
    journal_->number(inflight_);
    busy_since_ns_ = ns(steady_now());
    lock.unlock();
    ok = journal_->append(inflight_);
    written = ok.ok();
    if (written && sync) ok = journal_->sync();
    lock.lock();
    busy_since_ns_ = 0;
    if (orphaned_) return;
    unsynced_bytes_ = journal_->unsynced_bytes();
  }
  if (sync) synced_at_ = steady_now();
  if (!ok) return failed(ok.error(), written);
  complete(lock, sync || !journal_);
}

// Answers who waits first, and shows the lines to the view then.
void Writer::complete(Lock& lock, bool synced) {
  for (Item& item : inflight_.items) {
    if (!item.waiter) continue;
    item.waiter->state = Waiter::State::durable;
    item.waiter->seq = item.seq;
    item.waiter = nullptr;  // it is gone as soon as the lock is
  }
  bells_[queue_bell_ ^ 1].notify_all();
  space_.notify_all();
  lock.unlock();
  give_to_view(inflight_, true);
  lock.lock();
  inflight_.clear();
  if (synced) synced_ticket_ = finished_ticket();
  done_.notify_all();  // flush() waits for the view too
}

// `written`: the lines are in the file, but perhaps not on the disk; they stay there and are not written
// again.
void Writer::failed(const Error& why, bool written) {
  healthy_ = false;
  sync_wanted_ = true;
  for (Item& item : inflight_.items) {
    if (item.waiter) {
      item.waiter->state = written ? Waiter::State::doubtful : Waiter::State::refused;
      item.waiter->seq = item.seq;
      item.waiter = nullptr;
    }
    if (!item.retry) item.skip = true;
  }
  give_to_view(inflight_, written);
  if (!written) {
    Batch again;
    for (Batch* batch : {&inflight_, &queue_})
      for (Item& item : batch->items) {
        if (item.skip) continue;
        Item& moved = again.add(batch->body(item), item.ticket);
        moved.waiter = item.waiter;
        moved.retry = item.retry;
        moved.viewed = item.viewed;
      }
    queue_ = std::move(again);
  }
  inflight_.clear();
  ring_all();
  if (why.text + why.detail == last_cause_) return;
  last_cause_ = why.text + why.detail;
  reports_.push_back(
      {LogLevel::error, "audit_failed", "cause", why.text + (why.detail.empty() ? "" : ": " + why.detail)});
}

bool Writer::recovered(Lock& lock) {
  if (!journal_) {
    healthy_ = true;
    return true;
  }
  std::string note = "writing resumed";
  const std::uint64_t lost = lost_;
  if (lost > 0) note += "; " + std::to_string(lost) + " lines were lost";
  busy_since_ns_ = ns(steady_now());
  lock.unlock();
  const auto ok = journal_->recover(note, clock_);
  lock.lock();
  busy_since_ns_ = 0;
  if (orphaned_) return false;
  unsynced_bytes_ = journal_->unsynced_bytes();
  if (!ok) {
    give_to_view(queue_, false);
    refuse_queued();
    failed(ok.error(), true);  // nothing is in flight
    return false;
  }
  healthy_ = true;
  last_cause_.clear();
  lost_ -= lost;
  reports_.push_back({LogLevel::info, "audit_recovered", "lost_lines", std::to_string(lost)});
  return true;
}

void Writer::refuse_queued() {
  for (Item& item : queue_.items) {
    if (!item.waiter) continue;
    item.waiter->state = Waiter::State::refused;
    item.waiter = nullptr;
    if (!item.retry) item.skip = true;
  }
  queued_waiters_ = 0;
  ring_all();
}

void Writer::ring_all() {
  for (std::condition_variable& bell : bells_) bell.notify_all();
}

// While the journal fails, the view is all the evidence there is: it gets what nobody waits for at once.
void Writer::give_to_view(Batch& batch, bool after_success) {
  std::string lines;
  std::size_t count = 0;
  for (Item& item : batch.items) {
    if (item.viewed || item.skip || (!after_success && item.waiter)) continue;
    item.viewed = true;
    lines += '{';
    lines += batch.body(item);
    lines += "}\n";
    ++count;
  }
  view_->push(lines, count);
}

void Writer::watch_view() {
  const std::uint64_t lost = view_->lost();
  const SteadyTime now = steady_now();
  if (lost != view_lost_) {
    view_lost_ = lost;
    view_lost_at_ = now;
    if (std::exchange(view_complained_, true)) return;
    reports_.push_back({LogLevel::warning, "audit_view_drops_lines", "lost_lines", std::to_string(lost)});
  } else if (view_complained_ && now - view_lost_at_ > kViewQuiet) {
    view_complained_ = false;
    reports_.push_back({LogLevel::info, "audit_view_works_again", "lost_lines", std::to_string(lost)});
  }
}

void Writer::print_reports() {
  for (const Report& r : reports_) log_.write(r.level, r.event, {{r.key, r.value}});
  reports_.clear();
}

}  // namespace vmcp::audit
