#include "pipeline/background.h"

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace vmcp::pipeline {
namespace {

constexpr milliseconds kLookEvery{50};

class OwnExchange final : public Exchange {
 public:
  CancelFlag disconnected() const override { return gone_; }
  void answer_by(SteadyTime deadline, std::function<void()> overrun) override {
    const std::lock_guard lock(mutex_);
    deadline_ = deadline;
    overrun_ = std::move(overrun);
  }
  bool enter_blocking() override { return true; }  // the thread is there to block
  void leave_blocking() override {}

  void look(SteadyTime now) {
    std::function<void()> overrun;
    {
      const std::lock_guard lock(mutex_);
      if (!overrun_ || now < deadline_) return;
      overrun = std::move(overrun_);
      overrun_ = nullptr;
    }
    overrun();
  }
  void over() {
    const std::lock_guard lock(mutex_);
    overrun_ = nullptr;
  }
  void cancel() const { gone_.cancel(); }

 private:
  CancelFlag gone_;
  std::mutex mutex_;
  SteadyTime deadline_{};
  std::function<void()> overrun_;
};

}  // namespace

struct Background::Impl {
  Impl(std::size_t t, std::size_t q, Log& l) : max_threads(t), max_queue(q), log(l) {}

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      ++idle;
      wake.wait(lock, [&] { return stopping || !queue.empty(); });
      --idle;
      if (stopping) return;
      Work next = std::move(queue.front());
      queue.pop_front();
      const auto exchange = std::make_shared<OwnExchange>();
      const auto place = running.insert(running.end(), exchange);
      lock.unlock();
      try {
        next(exchange);
      } catch (const std::exception& e) {
        log.error("a background call failed", {{"detail", e.what()}});
      }
      exchange->over();
      next = nullptr;
      lock.lock();
      running.erase(place);
      if (running.empty()) over.notify_all();
    }
  }

  void watch() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      watched.wait_for(lock, kLookEvery, [&] { return stopping; });
      const std::vector<std::shared_ptr<OwnExchange>> all(running.begin(), running.end());
      lock.unlock();
      for (const auto& exchange : all) exchange->look(std::chrono::steady_clock::now());
      lock.lock();
      if (running.empty() && !stopping)
        watched.wait(lock, [&] { return stopping || !queue.empty() || !running.empty(); });
    }
  }

  const std::size_t max_threads, max_queue;
  Log& log;
  std::mutex mutex;
  std::condition_variable wake, watched, over;
  std::deque<Work> queue;
  std::list<std::shared_ptr<OwnExchange>> running;
  std::vector<std::thread> threads;
  std::optional<std::thread> watcher;
  std::size_t idle = 0;
  bool stopping = false;
};

Background::Background(std::size_t threads, std::size_t queue, Log& log)
    : impl_(std::make_shared<Impl>(threads, queue, log)) {}

Background::~Background() {
  stop(milliseconds(0));
}

bool Background::run(Work work) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping || impl_->queue.size() >= impl_->max_queue) return false;
    impl_->queue.push_back(std::move(work));
    if (impl_->idle < impl_->queue.size() && impl_->threads.size() < impl_->max_threads)
      impl_->threads.emplace_back([impl = impl_] { impl->work(); });
    if (!impl_->watcher) impl_->watcher.emplace([impl = impl_] { impl->watch(); });
  }
  impl_->wake.notify_one();
  impl_->watched.notify_one();
  return true;
}

bool Background::stop(milliseconds grace) {
  std::unique_lock lock(impl_->mutex);
  impl_->stopping = true;
  impl_->queue.clear();
  for (const auto& exchange : impl_->running) exchange->cancel();
  impl_->wake.notify_all();
  impl_->watched.notify_all();
  const bool over = impl_->over.wait_for(lock, grace, [&] { return impl_->running.empty(); });
  std::vector<std::thread> threads;
  threads.swap(impl_->threads);
  if (impl_->watcher) threads.push_back(std::move(*impl_->watcher));
  impl_->watcher.reset();
  lock.unlock();
  for (std::thread& thread : threads) {
    if (over)
      thread.join();
    else
      thread.detach();
  }
  return over;
}

}  // namespace vmcp::pipeline
