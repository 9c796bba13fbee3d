#include "http/incoming.h"

#include <algorithm>
#include <cstring>

namespace vmcp::http {

bool MemoryBudget::take(std::size_t bytes) {
  const std::size_t before = held_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= max_) return true;
  held_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

Incoming::Incoming(const FrameLimits& limits, MemoryBudget& budget)
    : limits_(limits), budget_(budget), framer_(limits) {
  request_.bytes.resize(kFirstBlock);
}

Incoming::~Incoming() {
  budget_.give_back(charged_);
}

void Incoming::reset() {
  framer_.reset();
  used_ = 0;
  step_ = Framer::Step::more_head;
  request_.headers.clear();
  if (charged_ == 0) return;
  budget_.give_back(charged_);
  charged_ = 0;
  request_.bytes = std::string(kFirstBlock, '\0');
}

bool Incoming::resize(std::size_t size) {
  const std::size_t old = request_.bytes.size();
  if (size <= old) return true;
  if (!budget_.take(size - old)) return false;
  charged_ += size - old;
  request_.bytes.resize(size);
  return true;
}

bool Incoming::grow() {
  if (room() > 0) return true;
  // Doubling, not the length that the client announces: memory is held only for bytes that came.
  std::size_t size = request_.bytes.size() * 2;
  if (framer_.size_hint() > 0) size = std::min(size, std::max(framer_.size_hint(), used_ + 1));
  const std::size_t most = limits_.max_head_bytes + limits_.max_body_bytes + kFirstBlock * 2;
  return resize(std::max(std::min(size, most), used_ + 1));
}

Framer::Step Incoming::received(std::size_t n) {
  used_ += n;
  step_ = framer_.feed(request_.bytes.data(), used_);
  return step_;
}

std::string_view Incoming::finish() {
  framer_.describe(request_.bytes.data(), request_);
  const std::size_t end = framer_.consumed();
  return {request_.bytes.data() + end, used_ - end};
}

bool Incoming::start_with(std::string_view bytes) {
  if (!resize(bytes.size())) return false;
  std::memcpy(request_.bytes.data(), bytes.data(), bytes.size());
  used_ = bytes.size();
  return true;
}

}  // namespace vmcp::http
