// Messages over a stream socket between the server and a plugin's process: a length, a kind, and fields in a
// fixed order. Both ends are of one build on one machine, so numbers stand as the machine has them. What
// comes from the child is trusted with nothing: every length is checked before it is used.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vmcp::plugin_host::child {

// Who sends it: H the server, C the child. The fields of each are written where it is sent.
enum class Message : std::uint8_t {
  // On the control channel.
  start = 1,  // H
  stop,       // H
  ready,      // C
  failed,     // C
  log,        // C
  change,     // C
  // On a lane, which carries one round of a call at a time.
  round,  // H: begins it
  reply,  // H: to the five that follow
  inventory_list,
  inventory_get,
  vcenter,
  vim_call,
  vim_get,
  progress,      // C, no reply; nor to the next two
  client_log,    // C
  close_stream,  // C
  result,        // C: ends the round
};

constexpr std::uint32_t kMostFromChild_bytes = 16u << 20;  // the largest answer, with room
constexpr std::uint32_t kMostFromHost_bytes = 80u << 20;   // a page of the inventory, with room

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <class T>
  Writer& number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
    return *this;
  }

 private:
  std::string& out_;
};

// Reads beyond the end give zero or nothing, and ok() is false from then on.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  T number() {
    T value{};
    const std::string_view from = take(sizeof value);
    if (from.size() == sizeof value) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  bool flag() { return number<std::uint8_t>() != 0; }
  // Borrowed from the bytes that are read.
  std::string_view text() { return take(number<std::uint32_t>()); }
  // How many of something follow; refused when they cannot possibly all be there.
  std::uint32_t count() {
    const auto n = number<std::uint32_t>();
    if (n <= bytes_.size()) return n;
    ok_ = false;
    return 0;
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view take(std::size_t n) {
    if (!ok_ || n > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view out = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return out;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// One end. Not thread-safe: a lane belongs to the thread that runs its round.
class Channel {
 public:
  // Owns `fd`, a stream socket. A message that says to be longer than `most_bytes` breaks the channel.
  Channel(int fd, std::uint32_t most_bytes) : fd_(fd), most_bytes_(most_bytes) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // send() and receive() return `waits` after so long without a byte, to be called again. 0: they wait.
  void give_up_after(int milliseconds);

  // Begins a message; it is complete when send() is called, at once or after other fields.
  Writer begin(Message kind);

  enum class State { done, waits, gone, broken };
  State send();
  // The next message; what kind() and fields() gave before is gone.
  State receive();
  // One has come whole, with an earlier one: receive() gives it at once, and poll() knows nothing of it.
  bool holds_message() const;
  Message kind() const { return kind_; }
  Reader fields() const { return Reader(fields_); }
  int fd() const { return fd_; }

 private:
  int fd_;
  const std::uint32_t most_bytes_;
  std::string out_, in_;
  std::size_t sent_ = 0, taken_ = 0, filled_ = 0;  // of out_; of in_: used up, received
  Message kind_{};
  std::string_view fields_;
};

}  // namespace vmcp::plugin_host::child
