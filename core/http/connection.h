// One client connection: reads a request at a time, hands it over, sends its one answer, goes on to the next.
// No thread belongs to it. Its lock is held for moments only, never while a handler runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "http/connection_table.h"
#include "http/framer.h"
#include "http/message.h"
#include "http/response_head.h"
#include "http/wire.h"

namespace vmcp::http {

class LiveExchange;
struct OpenStream;
struct Transport;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Transport> transport, std::unique_ptr<Wire> wire, ConnectionId id,
             std::string peer);
  ~Connection();

  const std::string& peer() const { return peer_; }

  // Registers with the poller; called once, after the table knows the connection.
  void open();
  // The poller reported `events`. Returns the request that is to be run now, if one is whole; `spare` is the
  // caller's recycled exchange, used when this connection has no unfinished one.   [worker]
  std::unique_ptr<LiveExchange> on_event(std::uint32_t events, std::unique_ptr<LiveExchange>& spare);
  // Sends the answer of the request in flight, or as much as goes now. False: the connection is gone.  [any
  // thread]
  bool answer(LiveExchange& exchange, Response response);
  // From now on notice that the client leaves while `exchange` runs.   [any thread]
  void watch_peer(const LiveExchange& exchange);

  // Sends `head` and keeps the answer open. False: the connection is gone, or the head was all there is to
  // send.   [any thread]
  bool open_stream(LiveExchange& exchange, Response head, const std::shared_ptr<OpenStream>& stream);
  bool write(OpenStream& stream, std::string_view bytes);        // [any thread]
  void finish(OpenStream& stream);                               // [any thread]
  void on_gone(OpenStream& stream, std::function<void()> gone);  // [any thread]
  void abandon(OpenStream& stream);                              // its owner let go of it   [any thread]

  void look(std::int64_t now_ns);  // has it waited too long?   [watch thread]

  // stop(): closes at once when no request has begun.
  void drain();
  // stop(), grace is over: closes. True when a request or its answer was cut.
  bool cut();

  static std::int64_t coarse_now_ns();

 private:
  enum class State {
    reading,    // armed for input, or a worker reads
    running,    // a request is with the handler; input stays in the kernel
    streaming,  // an answer without an end yet; input stays in the kernel
    writing,    // the rest of an answer waits until the client takes it
    lingering,  // the last answer is out; what still comes in is thrown away, so that no RST overtakes it
    closed
  };
  enum class Waiting { greeting, idle, head, body };  // which time-out runs while reading

  // All below with the lock held.
  std::unique_ptr<LiveExchange> read(std::unique_ptr<LiveExchange>& spare);
  Framer::Step receive(LiveExchange& exchange);
  std::unique_ptr<LiveExchange> hand_over(std::unique_ptr<LiveExchange> exchange);
  void greeted();
  void keep_partial(std::unique_ptr<LiveExchange> exchange);
  void refuse(int status, std::string_view text);
  void peer_event(std::uint32_t events);
  bool send(const std::string& head, std::string body);
  void flush();
  bool write_head(LiveExchange& exchange, Response& response, ResponseFraming framing);
  bool put(std::string_view bytes);
  bool wait_for_reader();
  void stream_event(std::uint32_t events);
  void stream_expired(std::int64_t now_ns);
  void set_keep_alive();
  void drop_slow_reader();
  void end_stream();
  void answered();
  void linger();
  void discard();
  void close();
  void arm(std::uint32_t events);
  void expire(std::int64_t now_ns);
  void set_timeout(milliseconds timeout);
  void set_deadline(std::int64_t time_ns);

  const std::shared_ptr<Transport> transport_;
  const ConnectionId id_;
  const std::string peer_;

  mutable std::mutex mutex_;  // of everything below
  std::unique_ptr<Wire> wire_;
  // Coarse monotonic times: when the present state has lasted too long, and when the watch thread looks,
  // which is not later. It is not told of a deadline that moves away, as it does twice with each request.
  std::int64_t deadline_, looked_at_;
  State state_ = State::reading;
  std::unique_ptr<LiveExchange> partial_;  // what has been read of the next request
  bool partial_unframed_ = false;          // it holds pipelined bytes that nobody looked at yet
  Waiting waiting_ = Waiting::idle;
  std::uint32_t read_event_;  // what a read that would block waits for
  PeerCertificatePtr client_certificate_;
  bool said_continue_ = false;
  bool close_after_ = false;
  bool must_linger_ = false;  // the client may still be sending
  bool watching_peer_ = false;
  LiveExchange* current_ = nullptr;  // in flight; it answers before it dies, so the pointer is good while set
  std::string out_head_, out_body_;  // the unsent answer
  std::size_t out_sent_ = 0;         // of both together
  std::size_t discarded_ = 0;
  std::shared_ptr<OpenStream> stream_;  // while streaming
};

}  // namespace vmcp::http
