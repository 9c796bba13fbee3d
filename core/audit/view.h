// The readable view: JSON lines to AUDIT_LOG_PATH, stdout or stderr. Best effort, unlike the journal.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

// Has a thread of its own, because a write to a full pipe, a stopped terminal or a lost network disk may
// block for ever, and a shared stdout must not be switched to non-blocking for everybody who has it. What
// does not fit into the queue is dropped and counted. A file that was moved away (logrotate) is opened anew
// within a second.
class View : public std::enable_shared_from_this<View> {
 public:
  // The error names AUDIT_LOG_PATH.
  static Result<std::shared_ptr<View>> open(const Settings& settings);
  // Writes to `fd`, which stays the caller's.
  static std::shared_ptr<View> on(int fd);
  ~View();

  void push(std::string_view lines, std::size_t count);  // never blocks
  bool drain(SteadyTime deadline);                       // false: not everything was written in time
  std::uint64_t lost() const;                            // lines dropped so far
  bool catching_up() const;                              // much is queued, and the writing goes on
  // Ends the thread; one that hangs in a write is left behind with what it holds.
  void stop(milliseconds limit);

 private:
  View(int fd, std::string path);
  void start();
  void run();
  bool write_all(std::string_view bytes);
  void reopen_if_moved();

  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::string pending_;       // guarded by mutex_
  std::uint64_t lost_ = 0;    // guarded by mutex_
  bool writing_ = false;      // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
  bool exited_ = false;       // guarded by mutex_
  SteadyTime progress_at_{};  // guarded by mutex_; when the last write returned
  int fd_;                    // the thread's own from here on
  const std::string path_;    // empty: fd_ is not ours
  bool mid_line_ = false;     // a failed write left half a line
  SteadyTime looked_at_{};
};

}  // namespace vmcp::audit
