#include "http/transport.h"

#include "http/live_exchange.h"

namespace vmcp::http {

void TransportLog::write(LogLevel level, std::string_view event, std::initializer_list<Log::Field> fields) {
  std::lock_guard lock(mutex_);
  try {
    if (log_ != nullptr) log_->write(level, event, fields);
  } catch (const std::exception&) {  // a line that cannot be written must not end a worker's thread
  }
}

void TransportLog::detach() {
  std::lock_guard lock(mutex_);
  log_ = nullptr;
}

void DeferredCalls::add(Armed armed) {
  std::lock_guard lock(mutex_);
  calls_.push_back(std::move(armed));
}

std::vector<Armed> DeferredCalls::take_overrun(SteadyTime now) {
  // What is dropped is destroyed after the lock: the last owner of an exchange runs its answer.
  std::vector<Armed> overrun, answered;
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < calls_.size();) {
      const bool done = calls_[i].exchange->answered();
      if (!done && calls_[i].deadline > now) {
        ++i;
        continue;
      }
      (done ? answered : overrun).push_back(std::move(calls_[i]));
      if (i + 1 != calls_.size()) calls_[i] = std::move(calls_.back());
      calls_.pop_back();
    }
  }
  return overrun;
}

Transport::Transport(const ServerLimits& l, Handler h, Log& log_to)
    : limits(l),
      frame_limits{.max_head_bytes = l.max_head_bytes,
                   .max_target_bytes = std::min<std::size_t>(8 * 1024, l.max_head_bytes),
                   .max_fields = 100,
                   .max_body_bytes = l.max_body_bytes},
      handler(std::move(h)),
      log(log_to),
      budget(l.max_buffered_bytes),
      table(l.max_connections, l.max_connections_per_address),
      pool({.workers = l.workers,
            .max_workers = std::max(l.max_workers, l.workers),
            .max_stuck = l.max_stuck_workers}) {}

Response internal_error() {
  Response r;
  r.status = 500;
  r.content_type = "text/plain; charset=utf-8";
  r.body = "The server failed to answer this request. Its log says why.\n";
  return r;
}

}  // namespace vmcp::http
