// What connections, exchanges and workers of one server share. Alive as long as any of them is: a handler
// that comes back after the server was destroyed still finds it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/log.h"
#include "http/connection_table.h"
#include "http/incoming.h"
#include "http/live_stream.h"
#include "http/poller.h"
#include "http/server.h"
#include "http/tls_context.h"
#include "http/worker_pool.h"

namespace vmcp::http {

// The server's log until the server is gone; afterwards nothing, since the log may be gone too.   [any
// thread]
class TransportLog {
 public:
  explicit TransportLog(Log& log) : log_(&log) {}
  void warning(std::string_view e, std::initializer_list<Log::Field> f) { write(LogLevel::warning, e, f); }
  void error(std::string_view e, std::initializer_list<Log::Field> f) { write(LogLevel::error, e, f); }
  void detach();

 private:
  void write(LogLevel level, std::string_view event, std::initializer_list<Log::Field> fields);

  std::mutex mutex_;
  Log* log_;
};

// Calls with a deadline whose handler returned without an answer.   [any thread]
class DeferredCalls {
 public:
  void add(Armed armed);
  // Forgets those that were answered and takes out the ones that overran.
  std::vector<Armed> take_overrun(SteadyTime now);

 private:
  std::mutex mutex_;
  std::vector<Armed> calls_;
};

struct Transport : std::enable_shared_from_this<Transport> {
  Transport(const ServerLimits& l, Handler h, Log& log_to);

  const ServerLimits limits;
  const FrameLimits frame_limits;
  const Handler handler;
  TransportLog log;
  MemoryBudget budget;
  std::shared_ptr<const TlsContext> tls;  // null: plain; set before the first connection
  Poller poller;
  ConnectionTable table;
  DeferredCalls deferred;
  GoneStreams gone;
  WorkerPool pool;
  std::atomic<bool> draining{false};  // stop() began: answers close their connection
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> refused_requests{0};
  std::atomic<std::size_t> streams{0};
  std::atomic<std::uint64_t> dropped_streams{0};
};

// What the client gets when a handler failed: nothing about the reason.
Response internal_error();

}  // namespace vmcp::http
