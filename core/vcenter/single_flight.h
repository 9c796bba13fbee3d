// A value that is expensive to make (a login, a negotiation): made once by the first who asks, while the
// others wait for it, each no longer than its own limits.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "base/cancel.h"
#include "base/result.h"

namespace vmcp::vcenter {

// [any thread] `T` is copied out.
template <class T>
class SingleFlight {
 public:
  struct Made {
    Result<T> value;
    // A failure that everyone is given until this much time has passed, instead of another attempt.
    milliseconds remember{0};
  };
  using Make = std::function<Made(const CallLimits&)>;

  // `make` runs without a lock, in the thread of the first caller and under its limits. If those limits end
  // it, the next waiter starts anew: one caller's cancellation is not another's failure.
  Result<T> get(const CallLimits& limits, const Make& make) {
    std::unique_lock lock(mutex_);
    unsigned long seen = rounds_;
    for (;;) {
      if (value_) return *value_;
      if (remembered_) {
        const auto left = std::chrono::ceil<milliseconds>(retry_at_ - std::chrono::steady_clock::now());
        if (left.count() > 0) {
          Error error = *remembered_;
          error.retry_after_ms = left.count();
          return error;
        }
        remembered_.reset();
      }
      if (!busy_) break;
      if (limits.cancel.cancelled()) return make_error(Code::cancelled, "the call was cancelled");
      const auto now = std::chrono::steady_clock::now();
      if (now >= limits.deadline) {
        return make_error(Code::timeout,
                          "vCenter did not answer before the call's deadline; nothing was changed");
      }
      changed_.wait_until(lock, std::min(limits.deadline, now + milliseconds{50}));
      if (rounds_ != seen) {
        seen = rounds_;
        if (!value_ && shared_failure_) return *shared_failure_;
      }
    }
    busy_ = true;
    shared_failure_.reset();
    lock.unlock();
    std::optional<Made> made;
    try {
      made.emplace(make(limits));
    } catch (...) {  // out of memory: nobody may wait for ever
      lock.lock();
      land();
      throw;
    }
    lock.lock();
    settle(*made);
    land();
    return std::move(made->value);
  }

  // The value if it is there; never makes one.
  std::optional<T> peek() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  // Forgets the value if `stale` says so, so that the next get() makes another.
  template <class Predicate>
  bool drop_if(const Predicate& stale) {
    const std::lock_guard lock(mutex_);
    if (!value_ || !stale(*value_)) return false;
    value_.reset();
    return true;
  }

  template <class Predicate>
  void replace_if(const Predicate& same, T next) {
    const std::lock_guard lock(mutex_);
    if (value_ && same(*value_)) value_ = std::move(next);
  }

  // Forgets everything and returns the value that was there.
  std::optional<T> take() {
    const std::lock_guard lock(mutex_);
    remembered_.reset();
    std::optional<T> out;
    out.swap(value_);
    return out;
  }

  void remember_failure(Error error, milliseconds how_long) {
    const std::lock_guard lock(mutex_);
    value_.reset();
    remembered_ = std::move(error);
    retry_at_ = std::chrono::steady_clock::now() + how_long;
  }

 private:
  void land() {
    busy_ = false;
    ++rounds_;
    changed_.notify_all();
  }

  void settle(const Made& made) {
    if (made.value.ok()) {
      value_ = made.value.value();
    } else {
      const Code code = made.value.error().code;
      if (code != Code::cancelled && code != Code::timeout) shared_failure_ = made.value.error();
      if (made.remember.count() > 0) {
        remembered_ = made.value.error();
        retry_at_ = std::chrono::steady_clock::now() + made.remember;
      }
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  bool busy_ = false;
  unsigned long rounds_ = 0;
  std::optional<T> value_;
  std::optional<Error> shared_failure_;
  std::optional<Error> remembered_;
  SteadyTime retry_at_{};
};

}  // namespace vmcp::vcenter
