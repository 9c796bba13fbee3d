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
struct OpenStream;
struct Transport;

class LiveExchange final : public HttpExchange, public std::enable_shared_from_this<LiveExchange> {
 public:
  explicit LiveExchange(Transport& transport);

  const Request& request() const override { return incoming.request(); }
  bool respond(Response response) override;
  StreamPtr open_stream(Response head, StreamOptions options) override;
  CancelFlag disconnected() const override;
  void answer_by(SteadyTime deadline, std::function<void()> overrun) override;
  bool enter_blocking() override;
  void leave_blocking() override;

  // Hands a read request over. From here on the exchange answers with 500 when it is dropped without an
  // answer.
  static std::shared_ptr<LiveExchange> dispatch(std::unique_ptr<LiveExchange> read,
                                                std::shared_ptr<Connection> connection);
  // Nothing more is to be sent: an answer was given, or the stream that was opened is over.
  bool answered() const;
  void peer_left() { disconnected_.cancel(); }

  Incoming incoming;
  std::string answer_head;  // its bytes, its memory kept for the next one

 private:
  enum class Given : std::uint8_t { nothing, opening, stream, answer };
  struct Recycle {
    void operator()(LiveExchange* exchange) const noexcept;
  };
  void renew();  // ready for another request

  Transport& transport_;
  std::shared_ptr<Connection> connection_;  // also keeps the transport alive
  std::atomic<Given> given_{Given::nothing};
  std::shared_ptr<const OpenStream> stream_;  // with Given::stream
  CancelFlag disconnected_;
  mutable std::atomic<bool> flag_given_out_{false};
};

using LiveExchangePtr = std::shared_ptr<LiveExchange>;

}  // namespace vmcp::http
