#include "http/live_exchange.h"

#include "http/connection.h"
#include "http/live_stream.h"
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
  Given nothing = Given::nothing;
  if (!given_.compare_exchange_strong(nothing, Given::answer, std::memory_order_acq_rel)) return false;
  try {
    return connection_->answer(*this, std::move(response));
  } catch (
      const std::exception&) {  // no memory for the answer: without the cut the client would wait for ever
    connection_->cut();
    return false;
  }
}

StreamPtr LiveExchange::open_stream(Response head, StreamOptions options) {
  Given nothing = Given::nothing;
  // Not yet `stream`: the watch thread may ask answered() meanwhile.
  if (!given_.compare_exchange_strong(nothing, Given::opening, std::memory_order_acq_rel)) return nullptr;
  try {
    auto open = std::make_shared<OpenStream>(transport_.budget, std::move(options), disconnected());
    auto handle = std::make_shared<LiveStream>(connection_, open);
    const bool opened = connection_->open_stream(*this, std::move(head), open);
    if (opened) stream_ = std::move(open);
    given_.store(opened ? Given::stream : Given::answer, std::memory_order_release);
    return opened ? std::move(handle) : nullptr;
  } catch (const std::exception&) {  // no memory: as in respond()
    given_.store(Given::answer, std::memory_order_release);
    connection_->cut();
    return nullptr;
  }
}

bool LiveExchange::answered() const {
  const Given given = given_.load(std::memory_order_acquire);
  return given == Given::answer || (given == Given::stream && stream_->over.load(std::memory_order_acquire));
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
    if (exchange->given_.load(std::memory_order_acquire) == Given::nothing) {
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
  stream_.reset();
  given_.store(Given::nothing, std::memory_order_relaxed);
  connection_.reset();
}

}  // namespace vmcp::http
