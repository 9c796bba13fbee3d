// The socket of the simulated vCenter: plain HTTP/1.1 with keep-alive. The one file pair that knows Poco.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "simulator/message.h"

namespace vmcp::simulator {

class Listener {
 public:
  // Called on the listener's own threads, several at a time.
  using Handler = std::function<Reply(const Request&)>;

  explicit Listener(Handler handler);
  ~Listener();  // stops
  // Port 0 takes a free one.
  Result<void> start(const std::string& host, std::uint16_t port);
  // Cuts what is still connected and waits for the handlers; the caller ends their waiting first.
  void stop();
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::simulator
