// The threads that wait on the poller, and the book-keeping of who is free for sockets: workers that block
// are made up for by spares, workers that never come back are replaced, what is too many parks and retires.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace vmcp::http {

class LiveExchange;

// One call that must be answered by a point in time, and what to do when it is not.
struct Armed {
  std::shared_ptr<LiveExchange> exchange;
  SteadyTime deadline;
  std::function<void()> overrun;  // empty once it was called
  bool peer_watched = false;      // a client that leaves is noticed
};

struct Worker {
  // free: waits for events or runs a call that does not block. Guarded by the pool.
  enum class State { free, blocked, stuck, parked };

  Worker();
  ~Worker();

  std::thread thread;
  State state = State::free;
  std::condition_variable unpark;
  const void* pool = nullptr;

  std::unique_ptr<LiveExchange> spare;     // its own thread only: recycled for the next request
  std::atomic<std::uint64_t> requests{0};  // written by its own thread only

  std::mutex armed_mutex;  // of `armed`: the running call
  Armed armed;
};

struct PoolLimits {
  std::size_t workers = 4;
  std::size_t max_workers = 64;
  std::size_t max_stuck = 8;
  milliseconds spare_idle{10'000};  // a parked spare retires after it
};

class WorkerPool {
 public:
  using Body = std::function<void(Worker&)>;  // runs until keep_working() says no; throws nothing

  explicit WorkerPool(PoolLimits limits);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // `owner` holds the pool; each thread keeps it alive, so that one that never returns leaves nothing
  // dangling.
  bool start(std::weak_ptr<void> owner, Body body);
  // Asks all to leave and waits until `until`; those that are still in a handler are let go. Returns how
  // many.
  std::size_t stop(SteadyTime until, const std::function<void()>& wake);

  // The worker whose thread this is, if it belongs to this pool.
  Worker* current() const;
  // Between two events: parks the thread while there are too many. False: leave.
  bool keep_working(Worker& self);

  bool enter_blocking(Worker& self);
  void leave_blocking(Worker& self);
  // The running call of `worker` overran: counts it as stuck and puts another in its place. False: it was
  // back before.   [watch thread]
  bool mark_stuck(Worker& worker, const LiveExchange& exchange);
  // The handler came back.
  void back(Worker& self);

  std::vector<std::shared_ptr<Worker>> workers() const;
  void reap();  // joins threads that retired   [watch thread]

  struct Counts {
    std::size_t total = 0, blocked = 0, stuck = 0;
    std::uint64_t requests = 0;
  };
  Counts counts() const;

 private:
  void run(const std::shared_ptr<Worker>& worker, const Body& body);
  bool add_free_worker();  // with the lock held: wakes a parked one or starts one
  void changed();          // with the lock held, after free_ changed

  const PoolLimits limits_;
  std::weak_ptr<void> owner_;
  Body body_;

  mutable std::mutex mutex_;  // of everything below, and of Worker::state
  std::condition_variable left_;
  std::vector<std::shared_ptr<Worker>> live_;
  std::vector<std::shared_ptr<Worker>> finished_;
  std::size_t free_ = 0, blocked_ = 0, stuck_ = 0, parked_ = 0;
  std::uint64_t retired_requests_ = 0;
  std::atomic<bool> surplus_{false};  // a hint, so that the usual event costs no lock
  std::atomic<bool> stopping_{false};
};

}  // namespace vmcp::http
