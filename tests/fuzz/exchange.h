// A request whose client is the fuzzer: what it was answered is kept, and it leaves when it is told to.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "http/incoming.h"
#include "http/message.h"

namespace vmcp::fuzz {

class KeptStream final : public http::Stream {
 public:
  explicit KeptStream(http::Response head) : head_(std::move(head)) {}

  bool write(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (gone_ || finished_) return false;
    text_ += bytes;
    return true;
  }
  void finish() override {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    heard_ = nullptr;
  }
  void on_gone(std::function<void()> gone) override {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      if (!gone_) {
        heard_ = std::move(gone);
        return;
      }
    }
    gone();
  }
  // The client closes the connection.
  void leave() {
    std::function<void()> heard;
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
      heard = std::exchange(heard_, nullptr);
    }
    if (heard) heard();
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  const http::Response& head() const { return head_; }

 private:
  const http::Response head_;
  mutable std::mutex mutex_;
  std::string text_;
  bool gone_ = false, finished_ = false;
  std::function<void()> heard_;
};

class KeptExchange final : public http::HttpExchange {
 public:
  KeptExchange(const http::FrameLimits& limits, std::size_t budget)
      : budget_(budget), incoming(limits, budget_) {}

  const http::Request& request() const override { return incoming.request(); }
  bool respond(http::Response response) override {
    const std::lock_guard lock(mutex_);
    if (answer_ || stream_) return false;
    answer_ = std::move(response);
    return true;
  }
  http::StreamPtr open_stream(http::Response head, http::StreamOptions) override {
    const std::lock_guard lock(mutex_);
    if (answer_ || stream_) return nullptr;
    stream_ = std::make_shared<KeptStream>(std::move(head));
    return stream_;
  }
  CancelFlag disconnected() const override { return gone_; }
  // Nothing that is offered here takes long enough.
  void answer_by(SteadyTime, std::function<void()>) override {}
  bool enter_blocking() override { return true; }
  void leave_blocking() override {}

  std::optional<http::Response> answer() const {
    const std::lock_guard lock(mutex_);
    return answer_;
  }
  std::shared_ptr<KeptStream> stream() const {
    const std::lock_guard lock(mutex_);
    return stream_;
  }
  void leave() {
    gone_.cancel();
    if (const auto open = stream()) open->leave();
  }

 private:
  http::MemoryBudget budget_;

 public:
  http::Incoming incoming;

 private:
  mutable std::mutex mutex_;
  std::optional<http::Response> answer_;
  std::shared_ptr<KeptStream> stream_;
  CancelFlag gone_;
};

}  // namespace vmcp::fuzz
