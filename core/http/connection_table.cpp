#include "http/connection_table.h"

namespace vmcp::http {

ConnectionTable::ConnectionTable(std::size_t max, std::size_t max_per_address)
    : slots_(max), look_at_(max), max_per_address_(max_per_address) {
  for (auto& time : look_at_) time.store(INT64_MAX, std::memory_order_relaxed);
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
  if (slot >= used_slots_.load(std::memory_order_relaxed)) used_slots_.store(slot + 1);
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
    look_at_[index].store(INT64_MAX, std::memory_order_relaxed);
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

void ConnectionTable::due(std::int64_t now_ns, std::size_t max, std::size_t& from,
                          std::vector<ConnectionPtr>& out) const {
  const std::size_t used = used_slots_.load();
  std::size_t found = 0;
  for (std::size_t seen = 0; seen < used && found < max; ++seen) {
    if (from >= used) from = 0;
    const std::size_t index = from++;
    if (look_at_[index].load(std::memory_order_relaxed) > now_ns) continue;
    std::lock_guard lock(slots_[index].mutex);
    if (!slots_[index].connection) continue;
    out.push_back(slots_[index].connection);
    ++found;
  }
}

std::vector<ConnectionPtr> ConnectionTable::all() const {
  std::vector<ConnectionPtr> out;
  const std::size_t used = used_slots_.load();
  for (std::size_t i = 0; i < used; ++i) {
    std::lock_guard lock(slots_[i].mutex);
    if (slots_[i].connection) out.push_back(slots_[i].connection);
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
