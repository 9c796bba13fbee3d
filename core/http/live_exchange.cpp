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
  try {
    return connection_->answer(*this, std::move(response));
  } catch (
      const std::exception&) {  // no memory for the answer: without the cut the client would wait for ever
    connection_->cut();
    return false;
  }
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

// Runs where the last owner lets go, so nothing may leave it.
void LiveExchange::Recycle::operator()(LiveExchange* exchange) const noexcept {
  // First, because it may be what keeps the transport alive, which the exchange's memory is charged to.
  const std::shared_ptr<Connection> connection = exchange->connection_;
  std::unique_ptr<LiveExchange> owned(exchange);
  try {
    if (!exchange->answered()) {
      exchange->transport_.log.error("http.unanswered", {{"path", exchange->request().path}});
      exchange->respond(internal_error());
    }
    Worker* worker = exchange->transport_.pool.current();
    if (worker == nullptr || worker->spare) return;
    exchange->renew();
    worker->spare = std::move(owned);
  } catch (const std::exception&) {  // memory ran out
    connection->cut();
  }
}

void LiveExchange::renew() {
  incoming.reset();
  if (flag_given_out_.load(std::memory_order_relaxed) || disconnected_.cancelled()) {
    disconnected_ = CancelFlag();  // the old one may still be looked at
    flag_given_out_.store(false, std::memory_order_relaxed);
  }
  answered_.store(false, std::memory_order_relaxed);
  connection_.reset();
}

}  // namespace vmcp::http
