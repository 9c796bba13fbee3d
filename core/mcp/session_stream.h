// One event stream of a legacy session: the way back of one POST, or the session's own stream (GET). It
// outlives the connection that carries it: what was said while nobody listened waits, bounded, until the
// client comes back with Last-Event-ID.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "mcp/endpoint.h"

namespace vmcp::mcp {

class SessionStream : public std::enable_shared_from_this<SessionStream> {
 public:
  explicit SessionStream(std::uint64_t number) : number_(number) {}

  // Takes `wire` in place of an earlier one and repeats what came after event `after`. False when those
  // events are not kept any more (what is still there is repeated).
  bool attach(MessageStreamPtr wire, std::uint64_t after);
  bool attached() const;
  // The newest event that a connection took.
  std::uint64_t delivered() const;
  // One JSON-RPC message. False: nobody listens now; it is kept.
  bool send(std::string_view message);
  // Nothing follows: ends the wire, also one that is attached later once it has had everything.
  void finish();
  // Ends only the connection; the client is expected to come back.
  void drop_wire();
  bool finished() const;

  std::uint64_t number() const { return number_; }
  std::string event_id(std::uint64_t sequence) const;
  // "7-12" → stream 7, event 12. False when it is not one of ours.
  static bool read_event_id(std::string_view text, std::uint64_t& number, std::uint64_t& sequence);

 private:
  struct Kept {
    std::uint64_t sequence;
    std::string message;
  };
  void keep(std::string_view message);
  void lost(const MessageStream* wire);

  const std::uint64_t number_;
  mutable std::mutex mutex_;
  MessageStreamPtr wire_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  std::uint64_t last_ = 0;  // sequence of the newest event; 0 is the priming one
  std::uint64_t delivered_ = 0;
  bool finished_ = false;
};
using SessionStreamPtr = std::shared_ptr<SessionStream>;

}  // namespace vmcp::mcp
