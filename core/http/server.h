// The event-driven transport, HTTP or HTTPS: a few workers share one one-shot epoll, read without blocking,
// frame strictly, and run the handler on whole requests only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "http/message.h"
#include "http/tls_context.h"

namespace vmcp::http {

struct ServerLimits {
  std::size_t workers = 4;            // sockets' own
  std::size_t max_workers = 64;       // with spares for calls that block
  std::size_t max_stuck_workers = 8;  // replaced after an overrun; beyond it enter_blocking() says no
  std::size_t max_connections = 4096;
  std::size_t max_connections_per_address = 1024;
  std::size_t max_head_bytes = 32 * 1024;
  std::size_t max_body_bytes = 4 * 1024 * 1024;
  // Bytes held in all, of requests beyond the first 8 KiB of each connection and of open streams' answers
  // that nobody reads: slow clients on many connections must not add up to more memory than the machine has.
  // Over it a request is refused with 503.
  std::size_t max_buffered_bytes = 256 * 1024 * 1024;
  milliseconds head_timeout{10'000};   // from the first byte of a head to its end
  milliseconds body_timeout{30'000};   // from the end of the head to the end of the body
  milliseconds idle_timeout{75'000};   // between requests
  milliseconds write_timeout{30'000};  // a reader that takes nothing
  // What may wait for the reader of one open stream. A single message may be longer when nothing else waits.
  // All of it counts into max_buffered_bytes.
  std::size_t max_stream_buffer_bytes = 1024 * 1024;
};

struct ServerStats {
  std::size_t connections = 0, workers = 0, blocked = 0, stuck = 0;
  std::size_t streams = 0;  // open now
  std::uint64_t requests = 0, refused_connections = 0, refused_requests = 0;
  std::uint64_t dropped_streams = 0;  // their readers were too slow
};

class Server {
 public:
  // `handler`, `log` and `clock` outlive the server.
  Server(ServerLimits limits, Handler handler, Log& log);
  ~Server();  // stop(0 ms) if still running
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves HTTPS instead of HTTP. Before start().
  Result<void> use_tls(const TlsSettings& settings);

  // Binds and starts the workers. port 0 takes a free one. Raises the soft descriptor limit to the hard one.
  Result<void> start(const std::string& host, std::uint16_t port);
  std::uint16_t port() const;

  // `begins` is called once, by stop(), when nothing is accepted any more and before anything is cut: for the
  // owners of open streams, to end them. Must not block. Set before anyone can call stop().
  void on_drain(std::function<void()> begins);

  // Graceful: stops accepting, lets requests that were read finish and be answered (with Connection: close),
  // closes idle connections at once, gives up after `grace`. Open streams are cut then. Returns true when
  // nothing was cut.
  bool stop(milliseconds grace);

  ServerStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::http
