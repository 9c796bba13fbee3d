// The JSON-RPC batch of revision 2025-03-26: several messages in one exchange, one array of replies.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mcp/endpoint.h"

namespace vmcp::mcp {

// Collects the replies. The transport knows one deadline per exchange; here every message gets an Exchange of
// its own, and when the first deadline passes, what was not answered is, and nothing further is started.
class Batch : public std::enable_shared_from_this<Batch> {
 public:
  // Called once, with one body per slot (empty: nothing to say), on any thread.
  using Finish = std::function<void(std::vector<std::string>&& bodies)>;

  // `late[i]` answers message i when it was never started in time.
  Batch(InboundPtr inbound, std::vector<std::string> late, Finish finish);

  std::shared_ptr<Exchange> exchange(std::size_t slot);
  void put(std::size_t slot, std::string body);  // first wins
  bool expired() const;

 private:
  class Part;
  struct Slot {
    bool filled = false;
    std::string body;
    std::function<void()> overrun;
  };

  void answer_by(std::size_t slot, SteadyTime deadline, std::function<void()> overrun);
  void expire();

  const InboundPtr inbound_;
  std::vector<std::string> late_;
  Finish finish_;
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::size_t open_;
  bool armed_ = false;
  bool expired_ = false;
};

}  // namespace vmcp::mcp
