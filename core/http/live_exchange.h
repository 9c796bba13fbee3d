// One request on a connection and its one answer. Passes from the connection that reads it, to the worker
// that runs it, to whoever keeps it; recycled by the worker when nobody does.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "http/incoming.h"
#include "http/message.h"

namespace vmcp::http {

class Connection;
struct Transport;

class LiveExchange final : public HttpExchange, public std::enable_shared_from_this<LiveExchange> {
 public:
  explicit LiveExchange(Transport& transport);

  const Request& request() const override { return incoming.request(); }
  bool respond(Response response) override;
  CancelFlag disconnected() const override;
  void answer_by(SteadyTime deadline, std::function<void()> overrun) override;
  bool enter_blocking() override;
  void leave_blocking() override;

  // Hands a read request over. From here on the exchange answers with 500 when it is dropped without an
  // answer.
  static std::shared_ptr<LiveExchange> dispatch(std::unique_ptr<LiveExchange> read,
                                                std::shared_ptr<Connection> connection);
  bool answered() const { return answered_.load(std::memory_order_acquire); }
  void peer_left() { disconnected_.cancel(); }

  Incoming incoming;
  std::string head;  // of the answer, its memory kept for the next one

 private:
  struct Recycle {
    void operator()(LiveExchange* exchange) const noexcept;
  };
  void renew();  // ready for another request

  Transport& transport_;
  std::shared_ptr<Connection> connection_;  // also keeps the transport alive
  std::atomic<bool> answered_{false};
  CancelFlag disconnected_;
  mutable std::atomic<bool> flag_given_out_{false};
};

using LiveExchangePtr = std::shared_ptr<LiveExchange>;

}  // namespace vmcp::http
