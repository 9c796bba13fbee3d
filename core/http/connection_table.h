// Every open connection by number, with the caps on how many there may be. A number is never used twice, so
// an event that was fetched for a connection closed meanwhile finds nothing instead of somebody else's
// connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace vmcp::http {

class Connection;
using ConnectionPtr = std::shared_ptr<Connection>;
using ConnectionId = std::uint64_t;  // generation << 32 | slot

// [any thread] throughout. Takes no lock of a connection, so a connection may call it under its own.
class ConnectionTable {
 public:
  ConnectionTable(std::size_t max, std::size_t max_per_address);

  // Counts a connection from `address`; nothing when a cap is reached.
  std::optional<ConnectionId> reserve(const std::string& address);
  void put(ConnectionId id, ConnectionPtr connection);
  ConnectionPtr find(ConnectionId id) const;  // null when it is gone
  void remove(ConnectionId id, const std::string& address);

  // Coarse monotonic time at which the watch thread should look at the connection: not later than its next
  // time-out, and earlier does no harm. Called under the connection's lock, before remove().
  void look_at(ConnectionId id, std::int64_t time_ns) {
    look_at_[static_cast<std::uint32_t>(id)].store(time_ns, std::memory_order_relaxed);
  }
  // Appends at most `max` of those that are to be looked at by now, beginning with slot `from`; `from` is
  // then where to go on. Ten thousands of connections that wait cost a few microseconds.
  void due(std::int64_t now_ns, std::size_t max, std::size_t& from, std::vector<ConnectionPtr>& out) const;

  std::vector<ConnectionPtr> all() const;
  std::size_t size() const;
  bool wait_empty(SteadyTime until) const;

 private:
  struct Slot {
    mutable std::mutex mutex;
    ConnectionPtr connection;
    std::uint32_t generation = 0;
  };

  std::vector<Slot> slots_;
  // Beside the slots, so that a scan reads nothing else.
  std::vector<std::atomic<std::int64_t>> look_at_;
  std::atomic<std::size_t> used_slots_{0};  // no slot from here on was ever used
  const std::size_t max_per_address_;
  mutable std::mutex mutex_;  // of everything below
  mutable std::condition_variable emptied_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string, std::size_t> by_address_;
};

}  // namespace vmcp::http
