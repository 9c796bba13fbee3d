#include "http/server.h"

#include <sys/resource.h>

#include <exception>

#include "http/acceptor.h"
#include "http/connection.h"
#include "http/dispatch.h"
#include "http/live_exchange.h"
#include "http/transport.h"
#include "http/watch.h"

namespace vmcp::http {
namespace {

// After the grace every connection is closed and every call told so; handlers that look get this long to
// leave.
constexpr milliseconds kLeave{250};

// Each connection is a descriptor; the usual soft limit of 1,024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// One object, so that a worker's thread keeps all that it uses with one pointer.
struct Running {
  Running(const ServerLimits& limits, Handler handler, Log& log)
      : transport(std::make_shared<Transport>(limits, std::move(handler), log)),
        acceptor(*transport),
        watch(*transport) {}

  std::shared_ptr<Transport> transport;
  Acceptor acceptor;
  Watch watch;
};

}  // namespace

struct Server::Impl {
  Impl(const ServerLimits& limits, Handler handler, Log& log)
      : running(std::make_shared<Running>(limits, std::move(handler), log)) {}

  bool cut_rest() {
    bool cut = false;
    for (const ConnectionPtr& c : running->transport->table.all()) cut = c->cut() || cut;
    return cut;
  }

  void tell_drain() {
    try {
      if (on_drain) on_drain();
    } catch (const std::exception& e) {
      running->transport->log.error("http.on_drain_failed", {{"what", e.what()}});
    }
  }

  std::shared_ptr<Running> running;
  std::function<void()> on_drain;
  bool started = false, stopped = false;
};

Server::Server(ServerLimits limits, Handler handler, Log& log)
    : impl_(std::make_unique<Impl>(limits, std::move(handler), log)) {}

Server::~Server() {
  stop(milliseconds(0));
}

Result<void> Server::start(const std::string& host, std::uint16_t port) {
  Running& r = *impl_->running;
  if (impl_->started || impl_->stopped) {
    return make_error(Code::internal, "The HTTP server was already started. Make a new one.");
  }
  raise_descriptor_limit();
  if (auto opened = r.transport->poller.open(); !opened) return opened;
  if (auto listening = r.acceptor.listen(host, port); !listening) return listening;
  impl_->started = true;
  try {
    r.watch.start();
    Running* running = &r;
    const bool workers = r.transport->pool.start(
        impl_->running, [running](Worker& self) { work(*running->transport, running->acceptor, self); });
    if (workers) return {};
  } catch (const std::exception&) {  // no thread; told below
  }
  stop(milliseconds(0));
  return make_error(Code::unavailable,
                    "The system gave no threads for the HTTP server. Raise the limit of processes.");
}

std::uint16_t Server::port() const {
  return impl_->running->acceptor.port();
}

Result<void> Server::use_tls(const TlsSettings& settings) {
  auto context = TlsContext::load(settings);
  if (!context) return context.error();
  impl_->running->transport->tls = std::move(*context);
  return {};
}

void Server::on_drain(std::function<void()> begins) {
  impl_->on_drain = std::move(begins);
}

bool Server::stop(milliseconds grace) {
  if (impl_->stopped) return true;
  impl_->stopped = true;
  if (!impl_->started) {
    impl_->running->transport->log.detach();
    return true;
  }
  Transport& t = *impl_->running->transport;
  const SteadyTime until = std::chrono::steady_clock::now() + grace;
  t.draining.store(true);
  impl_->running->acceptor.close();
  impl_->tell_drain();
  for (const ConnectionPtr& connection : t.table.all()) connection->drain();
  t.table.wait_empty(until);
  const bool cut = impl_->cut_rest();
  // A handler may be busy after its answer was sent; it is given the rest of the grace.
  const SteadyTime leave = std::max(until, std::chrono::steady_clock::now() + kLeave);
  const std::size_t abandoned = t.pool.stop(leave, [&] { t.poller.wake_all(); });
  impl_->running->watch.stop();
  if (abandoned > 0) {
    t.log.warning("http.handlers_abandoned", {{"count", std::to_string(abandoned)}});
  }
  t.log.detach();
  return !cut;
}

ServerStats Server::stats() const {
  const Transport& t = *impl_->running->transport;
  const WorkerPool::Counts c = t.pool.counts();
  ServerStats s;
  s.connections = t.table.size();
  s.workers = c.total;
  s.blocked = c.blocked;
  s.stuck = c.stuck;
  s.requests = c.requests;
  s.refused_connections = t.refused_connections.load(std::memory_order_relaxed);
  s.refused_requests = t.refused_requests.load(std::memory_order_relaxed);
  s.streams = t.streams.load(std::memory_order_relaxed);
  s.dropped_streams = t.dropped_streams.load(std::memory_order_relaxed);
  return s;
}

}  // namespace vmcp::http
