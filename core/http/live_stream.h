// An answer that stays open: what its connection keeps of it, and the handle that its owner writes through.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "http/incoming.h"
#include "http/message.h"

namespace vmcp::http {

class Connection;

// What the client has not taken yet, counted into the budget of all connections.
class Backlog {
 public:
  explicit Backlog(MemoryBudget& budget) : budget_(budget) {}
  ~Backlog() { take(); }
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  bool empty() const { return size() == 0; }
  std::size_t size() const { return bytes_.size() - sent_; }
  std::string_view waiting() const { return std::string_view(bytes_).substr(sent_); }
  bool append(std::string_view bytes);  // false: the budget is used up
  void sent(std::size_t n);
  std::string take();  // all that waits; empty afterwards

 private:
  MemoryBudget& budget_;
  std::string bytes_;
  std::size_t sent_ = 0;
};

// Guarded by the connection's lock as long as the connection knows it, but for `over`.
struct OpenStream {
  OpenStream(MemoryBudget& budget, StreamOptions o, CancelFlag left)
      : options(std::move(o)), disconnected(std::move(left)), backlog(budget) {}

  const StreamOptions options;
  const CancelFlag disconnected;
  Backlog backlog;
  std::int64_t last_write_ns = 0;
  bool chunked = true;
  bool finished = false;       // over because its owner said so
  std::function<void()> gone;  // destroyed without the lock: it may hold the handle
  std::shared_ptr<OpenStream> next_gone;
  std::atomic<bool> over{false};
};

// Streams whose client left, until the watch thread tells their owners. A list through the streams
// themselves: adding to it needs no memory.   [any thread]
class GoneStreams {
 public:
  void add(std::shared_ptr<OpenStream> stream);
  std::shared_ptr<OpenStream> take();  // all, linked by next_gone

 private:
  std::mutex mutex_;
  std::shared_ptr<OpenStream> first_;
};

class LiveStream final : public Stream {
 public:
  LiveStream(std::shared_ptr<Connection> connection, std::shared_ptr<OpenStream> stream)
      : connection_(std::move(connection)), stream_(std::move(stream)) {}
  ~LiveStream() override;
  bool write(std::string_view bytes) override;
  void finish() override;
  void on_gone(std::function<void()> gone) override;

 private:
  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<OpenStream> stream_;
};

}  // namespace vmcp::http
