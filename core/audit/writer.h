// The journal thread: takes lines from any thread, writes them in batches, and answers who waits for the
// disk.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/archive.h"
#include "audit/batch.h"
#include "audit/coalescer.h"
#include "audit/journal.h"
#include "audit/view.h"
#include "base/clock.h"
#include "base/log.h"

namespace vmcp::audit {

class Writer : public std::enable_shared_from_this<Writer> {
 public:
  struct Parts {
    std::unique_ptr<Journal> journal;  // null: nothing can be durable, the view is all there is
    std::unique_ptr<Archive> archive;  // null: the journal has no segments
    std::shared_ptr<View> view;
    std::shared_ptr<Coalescer> coalescer;
    milliseconds sync_timeout;
  };
  Writer(Parts parts, const Clock& clock, Log& log);
  void start();

  // Waits for the disk, at most sync_timeout. `keep`: when refused, the line is still written once that is
  // possible; otherwise it is not written, unless it was already on its way (state doubtful: say so in a
  // mark).
  Waiter durable(std::string_view body, bool keep);
  // `always`: also beyond the bound; for the few lines that explain another one.
  void buffered(std::string_view body, bool always = false);
  // A line for the journal alone.
  void note(std::string_view body);

  bool healthy() const;
  bool flush(milliseconds limit);
  Result<std::string> rotate(milliseconds limit);  // see Audit
  // Writes what is left and ends the thread; one that hangs in the disk is left behind. The clock and the log
  // are not used after that.
  void stop(milliseconds limit);

 private:
  using Lock = std::unique_lock<std::mutex>;

  void run();
  void wait_for_work(Lock& lock);
  void work(Lock& lock);
  bool recovered(Lock& lock);
  void failed(const Error& why, bool written);
  void complete(Lock& lock, bool synced);
  void refuse_queued();
  void give_to_view(Batch& batch, bool after_success);
  void watch_view();
  void print_reports();
  void keep_segments(Lock& lock);
  void close_segment(Lock& lock);
  void keep_archive(Lock& lock);
  bool segments_wait() const;
  bool wait_for_space(Lock& lock);
  void ring_all();
  void push(std::string_view body, Waiter* waiter, bool retry, bool viewed, Lock& lock);
  bool stuck() const;
  std::uint64_t finished_ticket() const;

  const std::unique_ptr<Journal> journal_;  // the thread's own
  const std::unique_ptr<Archive> archive_;  // the thread's own
  const std::shared_ptr<View> view_;
  const std::shared_ptr<Coalescer> coalescer_;
  const milliseconds sync_timeout_;
  const Clock& clock_;
  Log& log_;
  std::vector<Report> reports_;  // the thread's own, as the next five; printed when no lock is held
  std::string last_cause_;       // so that a lasting failure is logged once
  std::uint64_t view_lost_ = 0;
  bool view_complained_ = false;
  SteadyTime view_lost_at_{};
  SteadyTime close_not_before_{};  // after a failure to close a segment

  mutable std::mutex mutex_;      // guards what follows
  std::condition_variable wake_;  // the thread
  std::condition_variable done_;  // callers of flush() and stop()
  // Callers of durable(), alternating by batch: who belongs to the next one is not woken for this one.
  std::condition_variable bells_[2];
  std::condition_variable space_;    // callers of buffered() in front of a full queue
  Batch queue_;                      // what came last
  Batch inflight_;                   // what is being written
  std::uint64_t pushed_ = 0;         // tickets given
  std::uint64_t synced_ticket_ = 0;  // every line up to here is on the disk, or will never be
  std::size_t queued_waiters_ = 0;
  std::size_t queue_bell_ = 0;  // the bell of those in queue_
  std::uint64_t lost_ = 0;      // lines dropped since the last good write
  bool thread_waits_ = false;
  bool urgent_ = false;
  bool sync_wanted_ = false;
  bool stopping_ = false;
  bool orphaned_ = false;
  bool exited_ = false;
  std::size_t unsynced_bytes_ = 0;
  SteadyTime synced_at_{};
  std::uint64_t closings_asked_ = 0, closings_answered_ = 0;  // of rotate()
  Result<std::string> closing_ = std::string();               // what came of the last one
  bool heads_owed_ = false;

  std::atomic<bool> healthy_{true};
  std::atomic<std::int64_t> busy_since_ns_{0};  // when the thread entered the file; 0 = it is not there
};

}  // namespace vmcp::audit
