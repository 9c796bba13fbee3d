#include "http/live_exchange.h"

#include "http/connection.h"
#include "http/transport.h"

namespace vmcp::http {

LiveExchange::LiveExchange(Transport& transport)
    : incoming(transport.frame_limits, transport.budget), transport_(transport) {}

std::shared_ptr<LiveExchange> LiveExchange::dispatch(std::unique_ptr<LiveExchange> read,
                                                     std::shared_ptr<Connection> connection) {
  read->connection_ = std::move(connection);
  return {read.release(), Recycle{}};
}

bool LiveExchange::respond(Response response) {
  if (answered_.exchange(true, std::memory_order_acq_rel)) return false;
  return connection_->answer(*this, std::move(response));
}

CancelFlag LiveExchange::disconnected() const {
  flag_given_out_.store(true, std::memory_order_relaxed);
  return disconnected_;
}

void LiveExchange::answer_by(SteadyTime deadline, std::function<void()> overrun) {
  Armed armed{shared_from_this(), deadline, std::move(overrun)};
  if (Worker* worker = transport_.pool.current(); worker != nullptr) {
    std::lock_guard lock(worker->armed_mutex);
    worker->armed = std::move(armed);
  } else {
    transport_.deferred.add(std::move(armed));
  }
  connection_->watch_peer(*this);
}

bool LiveExchange::enter_blocking() {
  Worker* worker = transport_.pool.current();
  if (worker == nullptr) return true;  // some other thread: no socket waits for it
  if (!transport_.pool.enter_blocking(*worker)) return false;
  connection_->watch_peer(*this);
  return true;
}

void LiveExchange::leave_blocking() {
  if (Worker* worker = transport_.pool.current(); worker != nullptr) transport_.pool.leave_blocking(*worker);
}

void LiveExchange::Recycle::operator()(LiveExchange* exchange) const {
  // First, because it may be what keeps the transport alive, which the exchange's memory is charged to.
  const std::shared_ptr<Connection> connection = std::move(exchange->connection_);
  std::unique_ptr<LiveExchange> owned(exchange);
  if (!exchange->answered()) {
    exchange->transport_.log.error("http.unanswered", {{"path", exchange->request().path}});
    exchange->answered_.store(true);
    connection->answer(*exchange, internal_error());
  }
  Worker* worker = exchange->transport_.pool.current();
  if (worker == nullptr || worker->spare) return;
  exchange->answered_.store(false, std::memory_order_relaxed);
  if (exchange->flag_given_out_.load(std::memory_order_relaxed) || exchange->disconnected_.cancelled()) {
    exchange->disconnected_ = CancelFlag();  // the old one may still be looked at
    exchange->flag_given_out_.store(false, std::memory_order_relaxed);
  }
  exchange->incoming.reset();
  worker->spare = std::move(owned);
}

}  // namespace vmcp::http
