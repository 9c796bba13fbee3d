#include "http/dispatch.h"

#include <exception>

#include "http/acceptor.h"
#include "http/connection.h"
#include "http/live_exchange.h"
#include "http/transport.h"

namespace vmcp::http {
namespace {

void failed(Transport& transport, const LiveExchangePtr& exchange, std::string_view what) {
  transport.log.error("http.handler_failed", {{"path", exchange->request().path}, {"what", what}});
  exchange->respond(internal_error());
}

// The handler is back: whether the call was answered or is kept by somebody, it is not this worker's any
// more.
void disarm(Transport& transport, Worker& self, LiveExchange& exchange) {
  Armed armed;
  {
    std::lock_guard lock(self.armed_mutex);
    armed = std::move(self.armed);
    self.armed = {};
  }
  if (!armed.exchange || exchange.answered()) return;
  if (!armed.peer_watched) exchange.watch_peer();
  if (armed.overrun) transport.deferred.add(std::move(armed));
}

void serve(Transport& transport, Worker& self, ConnectionPtr connection, std::uint32_t events) {
  std::unique_ptr<LiveExchange> read = connection->on_event(events, self.spare);
  if (!read) return;
  self.requests.store(self.requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const LiveExchangePtr exchange = LiveExchange::dispatch(std::move(read), std::move(connection));
  try {
    transport.handler(exchange);
  } catch (const std::exception& e) {
    failed(transport, exchange, e.what());
  } catch (...) {
    failed(transport, exchange, "not a standard exception");
  }
  disarm(transport, self, *exchange);
  transport.pool.back(self);
}

}  // namespace

void work(Transport& transport, Acceptor& acceptor, Worker& self) {
  while (transport.pool.keep_working(self)) {
    Poller::Event event;
    if (!transport.poller.wait(event)) continue;
    try {
      if (event.token == Acceptor::kToken) {
        acceptor.accept_some();
      } else if (ConnectionPtr connection = transport.table.find(event.token)) {
        serve(transport, self, std::move(connection), event.events);
      }
    } catch (const std::exception& e) {  // memory ran out beside the handler
      transport.log.error("http.worker", {{"what", e.what()}});
      if (const ConnectionPtr connection = transport.table.find(event.token)) connection->cut();
    }
  }
}

}  // namespace vmcp::http
