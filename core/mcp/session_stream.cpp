#include "mcp/session_stream.h"

#include <algorithm>
#include <charconv>

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxKeptEvents = 256;
constexpr std::size_t kMaxKeptBytes = 512u << 10;

}  // namespace

std::string SessionStream::event_id(std::uint64_t sequence) const {
  return std::to_string(number_) + "-" + std::to_string(sequence);
}

bool SessionStream::read_event_id(std::string_view text, std::uint64_t& number, std::uint64_t& sequence) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, number);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, sequence);
  return second.ec == std::errc() && second.ptr == end;
}

void SessionStream::keep(std::string_view message) {
  kept_.push_back({++last_, std::string(message)});
  kept_bytes_ += message.size();
  while (kept_.size() > kMaxKeptEvents || kept_bytes_ > kMaxKeptBytes) {
    kept_bytes_ -= kept_.front().message.size();
    kept_.pop_front();
  }
}

bool SessionStream::attach(MessageStreamPtr wire, std::uint64_t after) {
  bool whole = true;
  {
    const std::lock_guard lock(mutex_);
    if (wire_) wire_->finish();
    wire_ = wire;
    const std::uint64_t first_kept = kept_.empty() ? last_ + 1 : kept_.front().sequence;
    whole = after + 1 >= first_kept && after <= last_;
    for (const Kept& event : kept_) {
      if (event.sequence <= after) continue;
      if (!wire->send(event.message, event_id(event.sequence))) break;
      delivered_ = std::max(delivered_, event.sequence);
    }
    if (finished_) {
      wire->finish();
      wire_.reset();
      return whole;
    }
  }
  wire->on_gone([weak = weak_from_this(), lost = wire.get()] {
    if (const auto self = weak.lock()) self->lost(lost);
  });
  return whole;
}

void SessionStream::lost(const MessageStream* wire) {
  const std::lock_guard lock(mutex_);
  if (wire_.get() == wire) wire_.reset();
}

bool SessionStream::attached() const {
  const std::lock_guard lock(mutex_);
  return wire_ != nullptr;
}

bool SessionStream::send(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (finished_) return false;
  keep(message);
  if (!wire_ || !wire_->send(message, event_id(last_))) return false;
  delivered_ = last_;
  return true;
}

std::uint64_t SessionStream::delivered() const {
  const std::lock_guard lock(mutex_);
  return delivered_;
}

void SessionStream::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  if (wire_) wire_->finish();
  wire_.reset();
}

void SessionStream::drop_wire() {
  const std::lock_guard lock(mutex_);
  if (wire_) wire_->finish();
  wire_.reset();
}

bool SessionStream::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

}  // namespace vmcp::mcp
