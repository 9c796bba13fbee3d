// A request while it is being received, and the block of memory that it then lives in: bytes are read into
// the block once, framed there, and the request's views point there; nothing is copied.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "http/framer.h"
#include "http/message.h"

namespace vmcp::http {

// Bytes that requests hold beyond their first block, over all connections.   [any thread]
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t max) : max_(max) {}
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const std::size_t max_;
  std::atomic<std::size_t> held_{0};
};

class Incoming {
 public:
  static constexpr std::size_t kFirstBlock = 8 * 1024;

  Incoming(const FrameLimits& limits, MemoryBudget& budget);
  ~Incoming();
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  // Ready for another request; a large block is given up.
  void reset();

  bool empty() const { return used_ == 0; }
  char* tail() { return request_.bytes.data() + used_; }
  std::size_t room() const { return request_.bytes.size() - used_; }
  // Makes room when there is none. False: the budget is used up.
  bool grow();
  // `n` bytes were put at tail().
  Framer::Step received(std::size_t n);
  Framer::Step step() const { return step_; }

  // After `whole`: fills the views of request(), and tells what came behind it (points into the block).
  std::string_view finish();
  // Takes over bytes that another request left behind; they are framed by received(0). False: no memory.
  bool start_with(std::string_view bytes);

  const Framer& framer() const { return framer_; }
  Request& request() { return request_; }
  const Request& request() const { return request_; }

 private:
  bool resize(std::size_t size);

  FrameLimits limits_;
  MemoryBudget& budget_;
  Framer framer_;
  Request request_;  // bytes.size() is the block's size, used_ what of it is filled
  std::size_t used_ = 0;
  std::size_t charged_ = 0;
  Framer::Step step_ = Framer::Step::more_head;
};

}  // namespace vmcp::http
