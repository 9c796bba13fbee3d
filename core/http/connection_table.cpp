#include "http/connection_table.h"

namespace vmcp::http {

ConnectionTable::ConnectionTable(std::size_t max, std::size_t max_per_address)
    : slots_(max), max_per_address_(max_per_address) {
  free_.reserve(max);
  for (std::size_t i = max; i > 0; --i) free_.push_back(static_cast<std::uint32_t>(i - 1));
}

std::optional<ConnectionId> ConnectionTable::reserve(const std::string& address) {
  std::lock_guard lock(mutex_);
  if (free_.empty()) return std::nullopt;
  std::size_t& count = by_address_[address];
  if (count >= max_per_address_) {
    if (count == 0) by_address_.erase(address);
    return std::nullopt;
  }
  ++count;
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  std::lock_guard slot_lock(slots_[slot].mutex);
  return static_cast<ConnectionId>(slots_[slot].generation) << 32 | slot;
}

void ConnectionTable::put(ConnectionId id, ConnectionPtr connection) {
  Slot& slot = slots_[static_cast<std::uint32_t>(id)];
  std::lock_guard lock(slot.mutex);
  slot.connection = std::move(connection);
}

ConnectionPtr ConnectionTable::find(ConnectionId id) const {
  const std::uint32_t index = static_cast<std::uint32_t>(id);
  if (index >= slots_.size()) return nullptr;
  const Slot& slot = slots_[index];
  std::lock_guard lock(slot.mutex);
  return slot.generation == id >> 32 ? slot.connection : nullptr;
}

void ConnectionTable::remove(ConnectionId id, const std::string& address) {
  const std::uint32_t index = static_cast<std::uint32_t>(id);
  Slot& slot = slots_[index];
  ConnectionPtr dropped;  // destroyed after the locks
  {
    std::lock_guard lock(slot.mutex);
    if (slot.generation != id >> 32) return;
    dropped = std::move(slot.connection);
    slot.connection = nullptr;
    // The highest generation is left out: it would make tokens that the poller uses for itself.
    slot.generation = slot.generation + 1 == ~std::uint32_t{0} ? 0 : slot.generation + 1;
  }
  std::lock_guard lock(mutex_);
  free_.push_back(index);
  const auto it = by_address_.find(address);
  if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
  if (free_.size() == slots_.size()) emptied_.notify_all();
}

std::vector<ConnectionPtr> ConnectionTable::all() const {
  std::vector<ConnectionPtr> out;
  for (const Slot& slot : slots_) {
    std::lock_guard lock(slot.mutex);
    if (slot.connection) out.push_back(slot.connection);
  }
  return out;
}

std::size_t ConnectionTable::size() const {
  std::lock_guard lock(mutex_);
  return slots_.size() - free_.size();
}

bool ConnectionTable::wait_empty(SteadyTime until) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_until(lock, until, [&] { return free_.size() == slots_.size(); });
}

}  // namespace vmcp::http
