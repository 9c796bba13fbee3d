#include "http/worker_pool.h"

#include <algorithm>
#include <system_error>

#include "http/live_exchange.h"

namespace vmcp::http {
namespace {

constexpr std::size_t kFreeBesideBlocked = 2;

// Set for the life of a worker's thread: a handler reaches the transport through its exchange, which must
// know whether the thread that asks is one of the workers at all.
thread_local Worker* this_worker = nullptr;

}  // namespace

Worker::Worker() = default;
Worker::~Worker() = default;

WorkerPool::WorkerPool(PoolLimits limits) : limits_(limits) {}

WorkerPool::~WorkerPool() = default;

bool WorkerPool::start(std::weak_ptr<void> owner, Body body) {
  std::lock_guard lock(mutex_);
  owner_ = std::move(owner);
  body_ = std::move(body);
  while (free_ < limits_.workers) {
    if (!add_free_worker()) return false;
  }
  return true;
}

Worker* WorkerPool::current() const {
  return this_worker != nullptr && this_worker->pool == this ? this_worker : nullptr;
}

void WorkerPool::changed() {
  surplus_.store(free_ > limits_.workers, std::memory_order_relaxed);
}

bool WorkerPool::add_free_worker() {
  if (stopping_.load(std::memory_order_relaxed)) return false;
  if (parked_ > 0) {
    for (const auto& worker : live_) {
      if (worker->state != Worker::State::parked) continue;
      worker->state = Worker::State::free;
      --parked_;
      ++free_;
      changed();
      worker->unpark.notify_one();
      return true;
    }
  }
  if (live_.size() >= limits_.max_workers) return false;
  const auto owner = owner_.lock();
  if (!owner) return false;
  try {
    auto worker = std::make_shared<Worker>();
    worker->pool = this;
    live_.reserve(live_.size() + 1);
    finished_.reserve(finished_.size() + live_.size() + 1);  // so that leaving never allocates
    worker->thread = std::thread([this, owner, worker] { run(worker, body_); });
    live_.push_back(std::move(worker));
  } catch (const std::system_error&) {  // no thread to be had
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
  ++free_;
  changed();
  return true;
}

void WorkerPool::run(const std::shared_ptr<Worker>& worker, const Body& body) {
  this_worker = worker.get();
  body(*worker);
  worker->spare.reset();
  this_worker = nullptr;
  std::lock_guard lock(mutex_);
  switch (worker->state) {
    case Worker::State::free:
      --free_;
      break;
    case Worker::State::blocked:
      --blocked_;
      break;
    case Worker::State::stuck:
      --stuck_;
      break;
    case Worker::State::parked:
      --parked_;
      break;
  }
  changed();
  retired_requests_ += worker->requests.load(std::memory_order_relaxed);
  live_.erase(std::remove(live_.begin(), live_.end(), worker), live_.end());
  if (worker->thread.joinable()) finished_.push_back(worker);
  left_.notify_all();
}

bool WorkerPool::keep_working(Worker& self) {
  if (stopping_.load(std::memory_order_relaxed)) return false;
  if (!surplus_.load(std::memory_order_relaxed)) return true;
  std::unique_lock lock(mutex_);
  if (free_ <= limits_.workers) return true;
  self.state = Worker::State::parked;
  --free_;
  ++parked_;
  changed();
  const auto woken = [&] {
    return self.state != Worker::State::parked || stopping_.load(std::memory_order_relaxed);
  };
  const bool again = self.unpark.wait_for(lock, limits_.spare_idle, woken);
  return again && !stopping_.load(std::memory_order_relaxed);
}

bool WorkerPool::enter_blocking(Worker& self) {
  std::lock_guard lock(mutex_);
  if (self.state != Worker::State::free) return self.state == Worker::State::blocked;
  if (stuck_ >= limits_.max_stuck) return false;
  while (free_ < kFreeBesideBlocked + 1) {
    if (!add_free_worker()) return false;
  }
  self.state = Worker::State::blocked;
  --free_;
  ++blocked_;
  changed();
  return true;
}

void WorkerPool::leave_blocking(Worker& self) {
  std::lock_guard lock(mutex_);
  if (self.state != Worker::State::blocked) return;  // stuck meanwhile: back() settles it
  self.state = Worker::State::free;
  --blocked_;
  ++free_;
  changed();
}

bool WorkerPool::mark_stuck(Worker& worker, const LiveExchange& exchange) {
  std::lock_guard lock(mutex_);
  {
    std::lock_guard armed_lock(worker.armed_mutex);
    if (worker.armed.exchange.get() != &exchange) return false;
  }
  if (worker.state == Worker::State::free) {
    --free_;
  } else if (worker.state == Worker::State::blocked) {
    --blocked_;
  } else {
    return false;
  }
  worker.state = Worker::State::stuck;
  ++stuck_;
  changed();
  // Beyond the bound only so much that the server stays reachable.
  const std::size_t wanted = stuck_ <= limits_.max_stuck ? limits_.workers : kFreeBesideBlocked;
  if (free_ < wanted) add_free_worker();
  return true;
}

void WorkerPool::back(Worker& self) {
  std::lock_guard lock(mutex_);
  if (self.state == Worker::State::stuck) --stuck_;
  if (self.state == Worker::State::blocked) --blocked_;  // a handler that forgot leave_blocking()
  if (self.state == Worker::State::free) return;
  self.state = Worker::State::free;
  ++free_;
  changed();
}

std::size_t WorkerPool::stop(SteadyTime until, const std::function<void()>& wake) {
  std::unique_lock lock(mutex_);
  stopping_.store(true);
  for (const auto& worker : live_) worker->unpark.notify_all();
  wake();
  left_.wait_until(lock, until, [&] { return live_.empty(); });
  const std::size_t abandoned = live_.size();
  for (const auto& worker : live_) worker->thread.detach();
  std::vector<std::shared_ptr<Worker>> finished;
  finished.swap(finished_);
  lock.unlock();
  for (const auto& worker : finished) worker->thread.join();
  return abandoned;
}

std::vector<std::shared_ptr<Worker>> WorkerPool::workers() const {
  std::lock_guard lock(mutex_);
  return live_;
}

void WorkerPool::reap() {
  std::vector<std::shared_ptr<Worker>> finished;
  {
    std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (const auto& worker : finished) worker->thread.join();
}

WorkerPool::Counts WorkerPool::counts() const {
  std::lock_guard lock(mutex_);
  Counts c{live_.size(), blocked_, stuck_, retired_requests_};
  for (const auto& worker : live_) c.requests += worker->requests.load(std::memory_order_relaxed);
  return c;
}

}  // namespace vmcp::http
