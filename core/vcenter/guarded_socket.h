// Poco sockets that never block longer than the call that uses them: every wait is cut into slices, in which
// the call's deadline and cancellation are looked at. Internal to the transport (the only place with Poco's
// names).
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/SecureStreamSocketImpl.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>

#include <cstddef>
#include <string>

#include "base/cancel.h"

namespace vmcp::vcenter {

// What one connection's user allows and what became of it. Used by one thread at a time.
class SocketGuard {
 public:
  enum class Stop { none, timeout, cancelled, broken };

  void arm(const CallLimits& limits);  // forgets the previous request's counters
  void narrow(SteadyTime deadline);    // connecting has a shorter deadline than the request
  bool expired();                      // sets stop()
  // Waits until `events` (poll(2)) are possible on `fd`. False: stop() says why.
  bool wait(int fd, short events);

  Stop stop = Stop::none;
  std::size_t sent = 0;      // bytes of the request handed to the kernel (or to TLS)
  std::size_t received = 0;  // bytes of the answer
  bool peer_closed = false;

 private:
  CallLimits limits_;
  SteadyTime deadline_{};
};

// Both own their descriptor; `guard` outlives them. connect() always throws: Poco's session would otherwise
// reconnect behind our back, and so repeat a request that may change something.
class PlainSocket final : public Poco::Net::StreamSocketImpl {
 public:
  explicit PlainSocket(SocketGuard& guard) : guard_(guard) {}
  int sendBytes(const void* buffer, int length, int flags) override;
  int receiveBytes(void* buffer, int length, int flags) override;
  void connect(const Poco::Net::SocketAddress& address) override;
  void connect(const Poco::Net::SocketAddress& address, const Poco::Timespan& timeout) override;

 private:
  SocketGuard& guard_;
};

class TlsSocket final : public Poco::Net::SecureStreamSocketImpl {
 public:
  TlsSocket(SocketGuard& guard, Poco::Net::Context::Ptr context)
      : Poco::Net::SecureStreamSocketImpl(std::move(context)), guard_(guard) {}
  // After connectNB(). Throws what Poco throws; returns false when the guard stopped it.
  bool handshake(const std::string& host);
  int sendBytes(const void* buffer, int length, int flags) override;
  int receiveBytes(void* buffer, int length, int flags) override;
  void connect(const Poco::Net::SocketAddress& address) override;
  void connect(const Poco::Net::SocketAddress& address, const Poco::Timespan& timeout) override;

 private:
  bool wait_for(int poco_code);
  SocketGuard& guard_;
};

}  // namespace vmcp::vcenter
