// Lines on their way to the journal, in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmcp::audit {

// What a caller of durable() waits for. Guarded by the Writer's mutex; lives on the caller's stack.
struct Waiter {
  enum class State {
    pending,
    durable,   // on the disk
    refused,   // never written
    doubtful,  // written, but whether it reached the disk is unknown
  };
  State state = State::pending;
  std::uint64_t seq = 0;
  std::size_t bell = 0;  // which of the Writer's bells rings for it
};

struct Item {
  std::uint64_t ticket = 0;  // order of arrival over all batches
  std::uint64_t seq = 0;     // number in the journal, known once the batch is being written
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  Waiter* waiter = nullptr;
  bool retry = true;    // stays queued when it could not be written; an intent does not: its call was refused
  bool skip = false;    // withdrawn: not to be written
  bool viewed = false;  // not for the view, or already given to it
};

struct Batch {
  std::string bytes;  // bodies, one behind the other
  std::vector<Item> items;

  Item& add(std::string_view body, std::uint64_t ticket) {
    Item item;
    item.ticket = ticket;
    item.offset = static_cast<std::uint32_t>(bytes.size());
    item.size = static_cast<std::uint32_t>(body.size());
    bytes += body;
    return items.emplace_back(item);
  }
  std::string_view body(const Item& item) const { return {bytes.data() + item.offset, item.size}; }
  bool empty() const { return items.empty(); }
  void clear() {
    bytes.clear();
    items.clear();
  }
};

}  // namespace vmcp::audit
