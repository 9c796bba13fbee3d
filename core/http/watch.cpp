#include "http/watch.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "http/connection.h"
#include "http/live_exchange.h"
#include "http/transport.h"

namespace vmcp::http {
namespace {

// Ten thousand streams that want their keep-alive at once must not hold up the overruns; they spread over
// half a second instead, and so does their next one.
constexpr std::size_t kMostLooks = 256;
constexpr milliseconds kTick{15};  // how late an overrun may be answered

// A fraction of the shortest time-out, so that each is kept with that precision.
milliseconds scan_period(const ServerLimits& l) {
  const milliseconds shortest = std::min({l.head_timeout, l.body_timeout, l.idle_timeout, l.write_timeout});
  return std::clamp(shortest / 8, kTick, milliseconds(250));
}

// Takes a worker's call when it is over its time; the worker keeps its mark so that it can be called stuck.
bool take_overrun(Worker& worker, SteadyTime now, Armed& out) {
  std::lock_guard lock(worker.armed_mutex);
  Armed& armed = worker.armed;
  if (!armed.exchange || !armed.overrun || armed.deadline > now || armed.exchange->answered()) return false;
  out.exchange = armed.exchange;
  out.overrun = std::move(armed.overrun);
  armed.overrun = nullptr;
  return true;
}

void call_overrun(Transport& transport, const Armed& armed) {
  try {
    armed.overrun();
  } catch (const std::exception& e) {
    transport.log.error("http.overrun_failed", {{"what", e.what()}});
  } catch (...) {
    transport.log.error("http.overrun_failed", {{"what", "not a standard exception"}});
  }
  if (!armed.exchange->answered()) armed.exchange->respond(internal_error());
}

}  // namespace

Watch::Watch(Transport& transport) : transport_(transport), time_out_period_(scan_period(transport.limits)) {}

Watch::~Watch() {
  stop();
}

void Watch::start() {
  thread_ = std::thread([this] { run(); });
}

void Watch::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watch::run() {
  SteadyTime next_scan = std::chrono::steady_clock::now() + time_out_period_;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kTick, [&] { return stopping_; })) {
    lock.unlock();
    try {
      gone_streams();
      overruns();
      if (std::chrono::steady_clock::now() >= next_scan) {
        const bool all = time_outs();
        transport_.pool.reap();
        next_scan = std::chrono::steady_clock::now() + (all ? time_out_period_ : milliseconds(0));
      }
    } catch (const std::exception& e) {
      transport_.log.error("http.watch", {{"what", e.what()}});
    }
    lock.lock();
  }
  lock.unlock();
  gone_streams();  // those that the stop cut
}

void Watch::gone_streams() {
  for (std::shared_ptr<OpenStream> stream = transport_.gone.take(); stream;) {
    const std::function<void()> gone = std::move(stream->gone);
    try {
      gone();
    } catch (const std::exception& e) {
      transport_.log.error("http.on_gone_failed", {{"what", e.what()}});
    } catch (...) {
      transport_.log.error("http.on_gone_failed", {{"what", "not a standard exception"}});
    }
    stream = std::move(stream->next_gone);
  }
}

void Watch::overruns() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& worker : transport_.pool.workers()) {
    Armed armed;
    if (!take_overrun(*worker, now, armed)) continue;
    call_overrun(transport_, armed);
    if (!transport_.pool.mark_stuck(*worker, *armed.exchange)) continue;
    transport_.log.warning("http.worker_stuck", {{"path", armed.exchange->request().path}});
  }
  for (const Armed& armed : transport_.deferred.take_overrun(now)) call_overrun(transport_, armed);
}

bool Watch::time_outs() {
  const std::int64_t now = Connection::coarse_now_ns();
  std::vector<ConnectionPtr> due;
  transport_.table.due(now, kMostLooks, next_slot_, due);
  for (const ConnectionPtr& connection : due) connection->look(now);
  return due.size() < kMostLooks;
}

}  // namespace vmcp::http
