#include "vcenter/guarded_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace vmcp::vcenter {
namespace {

// Short enough that a cancelled call returns at once for a person, long enough to cost nothing.
constexpr std::chrono::milliseconds kPollSlice{100};

// One record a write: of a longer one the first records could be gone when the last fails, uncounted in
// `sent`.
constexpr int kTlsRecord = 16 * 1024;

using Poco::Net::SecureStreamSocket;

[[noreturn]] void stopped() {
  throw Poco::TimeoutException("stopped by the call's limits");
}

[[noreturn]] void no_reconnect() {
  throw Poco::Net::NetException("this socket does not reconnect");
}

// OpenSSL's error queue belongs to the thread: what another connection left there would be read as ours.
void forget_tls_errors() {
  ERR_clear_error();
  errno = 0;
}

}  // namespace

void SocketGuard::arm(const CallLimits& limits) {
  limits_ = limits;
  deadline_ = limits.deadline;
  stop = Stop::none;
  sent = received = 0;
  peer_closed = false;
}

void SocketGuard::narrow(SteadyTime deadline) {
  deadline_ = std::min(deadline, limits_.deadline);
}

bool SocketGuard::expired() {
  if (limits_.cancel.cancelled()) {
    stop = Stop::cancelled;
  } else if (std::chrono::steady_clock::now() >= deadline_) {
    stop = Stop::timeout;
  }
  return stop == Stop::cancelled || stop == Stop::timeout;
}

bool SocketGuard::wait(int fd, short events) {
  while (!expired()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    pollfd watched{fd, events, 0};
    const int ready =
        ::poll(&watched, 1, static_cast<int>(std::clamp(left, milliseconds{0}, kPollSlice).count()));
    if (ready > 0) return true;  // also on error or hang-up: the next operation reports it
    if (ready < 0 && errno != EINTR) {
      stop = Stop::broken;
      return false;
    }
  }
  return false;
}

int PlainSocket::sendBytes(const void* buffer, int length, int) {
  const char* bytes = static_cast<const char*>(buffer);
  int done = 0;
  while (done < length) {
    const ssize_t n =
        ::send(sockfd(), bytes + done, static_cast<std::size_t>(length - done), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      done += static_cast<int>(n);
      guard_.sent += static_cast<std::size_t>(n);
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!guard_.wait(sockfd(), POLLOUT)) stopped();
    } else if (n == 0 || errno != EINTR) {
      guard_.stop = SocketGuard::Stop::broken;
      throw Poco::Net::ConnectionResetException();
    }
  }
  return length;
}

int PlainSocket::receiveBytes(void* buffer, int length, int) {
  for (;;) {
    if (guard_.expired()) stopped();
    const ssize_t n = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), MSG_DONTWAIT);
    if (n > 0) {
      guard_.received += static_cast<std::size_t>(n);
      return static_cast<int>(n);
    }
    if (n == 0) {
      guard_.peer_closed = true;
      return 0;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!guard_.wait(sockfd(), POLLIN)) stopped();
    } else if (errno != EINTR) {
      guard_.stop = SocketGuard::Stop::broken;
      throw Poco::Net::ConnectionResetException();
    }
  }
}

void PlainSocket::connect(const Poco::Net::SocketAddress&) {
  no_reconnect();
}
void PlainSocket::connect(const Poco::Net::SocketAddress&, const Poco::Timespan&) {
  no_reconnect();
}

bool TlsSocket::wait_for(int poco_code) {
  return guard_.wait(sockfd(), poco_code == SecureStreamSocket::ERR_SSL_WANT_WRITE ? POLLOUT : POLLIN);
}

bool TlsSocket::handshake(const std::string& host) {
  for (;;) {
    forget_tls_errors();
    const int rc = completeHandshake();
    if (rc == 1) break;
    if (rc >= 0) throw Poco::Net::SSLConnectionUnexpectedlyClosedException();
    if (!wait_for(rc)) return false;
  }
  verifyPeerCertificate(host);
  return true;
}

int TlsSocket::sendBytes(const void* buffer, int length, int flags) {
  const char* bytes = static_cast<const char*>(buffer);
  int done = 0;
  while (done < length) {
    int n = 0;
    try {
      forget_tls_errors();
      n = SecureStreamSocketImpl::sendBytes(bytes + done, std::min(length - done, kTlsRecord), flags);
    } catch (const Poco::Exception&) {
      guard_.stop = SocketGuard::Stop::broken;
      throw;
    }
    if (n > 0) {
      done += n;
      guard_.sent += static_cast<std::size_t>(n);
    } else {
      // A record that did not fit into the socket may already be partly on the wire.
      guard_.sent += 1;
      if (!wait_for(n)) stopped();
    }
  }
  return length;
}

int TlsSocket::receiveBytes(void* buffer, int length, int flags) {
  for (;;) {
    if (guard_.expired()) stopped();
    int n = 0;
    try {
      forget_tls_errors();
      n = SecureStreamSocketImpl::receiveBytes(buffer, length, flags);
    } catch (const Poco::Exception&) {
      // Includes an end without TLS's goodbye: a cut answer must not pass for a whole one.
      guard_.stop = SocketGuard::Stop::broken;
      throw;
    }
    if (n > 0) {
      guard_.received += static_cast<std::size_t>(n);
      return n;
    }
    if (n == 0) {
      guard_.peer_closed = true;
      return 0;
    }
    if (!wait_for(n)) stopped();
  }
}

void TlsSocket::connect(const Poco::Net::SocketAddress&) {
  no_reconnect();
}
void TlsSocket::connect(const Poco::Net::SocketAddress&, const Poco::Timespan&) {
  no_reconnect();
}

}  // namespace vmcp::vcenter
