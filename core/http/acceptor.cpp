#include "http/acceptor.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "http/connection.h"
#include "http/tls_wire.h"
#include "http/transport.h"

namespace vmcp::http {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerEvent = 64;  // then other events get their turn

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// The address that caps and limits count by: an IPv4 client is the same client on an IPv6 socket.
std::string address_text(const Poco::Net::SocketAddress& from) {
  const Poco::Net::IPAddress host = from.host();
  if (host.family() == Poco::Net::IPAddress::IPv6 && host.isIPv4Mapped()) {
    const std::string text = host.toString();
    return text.substr(text.rfind(':') + 1);
  }
  return host.toString();
}

}  // namespace

Acceptor::~Acceptor() {
  close();
  if (reserve_ >= 0) ::close(reserve_);
}

Result<void> Acceptor::listen(const std::string& host, std::uint16_t port) {
  const std::string where = host + ":" + std::to_string(port);
  std::lock_guard lock(mutex_);
  try {
    const Poco::Net::SocketAddress address(host, port);
    if (address.family() == Poco::Net::SocketAddress::IPv6) {
      socket_.bind6(address, true, false, false);
    } else {
      socket_.bind(address, true, false);
    }
    socket_.listen(kBacklog);
    socket_.setBlocking(false);
    port_ = socket_.address().port();
  } catch (const Poco::Exception& e) {
    return make_error(Code::unavailable,
                      "Cannot listen on " + where +
                          ". Is another program using the port, or is the address not of this machine? "
                          "Choose another host or port.",
                      e.displayText());
  }
  ::fcntl(socket_.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
  reserve_ = open_reserve();
  open_ = true;
  if (!transport_.poller.add(socket_.impl()->sockfd(), kToken, EPOLLIN)) {
    return make_error(Code::unavailable, "Cannot watch the listening socket " + where + ".");
  }
  return {};
}

void Acceptor::accept_some() {
  std::lock_guard lock(mutex_);
  for (int i = 0; open_ && i < kAcceptsPerEvent && accept_one(); ++i) {
  }
  if (open_) transport_.poller.arm(socket_.impl()->sockfd(), kToken, EPOLLIN);
}

bool Acceptor::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  // Not acceptConnection(): it reports "none waits" by exception and sets neither flag.
  const int fd = ::accept4(socket_.impl()->sockfd(), reinterpret_cast<sockaddr*>(&from), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE) {
      shed();
      return true;
    }
    return errno == EINTR || errno == ECONNABORTED;
  }
  try {
    admit(fd, address_text(Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&from), size)));
  } catch (const std::exception&) {  // out of memory; admit() closed the descriptor or its owner did
    transport_.refused_connections.fetch_add(1, std::memory_order_relaxed);
  }
  return true;
}

void Acceptor::admit(int descriptor, std::string address) {
  Poco::Net::StreamSocket socket(new Poco::Net::StreamSocketImpl(descriptor));
  const auto id = transport_.table.reserve(address);
  if (!id) {
    transport_.refused_connections.fetch_add(1, std::memory_order_relaxed);
    socket.close();
    return;
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ConnectionPtr connection;
  try {
    std::unique_ptr<Wire> wire;
    if (transport_.tls) {
      wire = std::make_unique<TlsWire>(std::move(socket), transport_.tls);
    } else {
      wire = std::make_unique<PlainWire>(std::move(socket));
    }
    connection = std::make_shared<Connection>(transport_.shared_from_this(), std::move(wire), *id, address);
  } catch (...) {
    transport_.table.remove(*id, address);
    throw;
  }
  transport_.table.put(*id, connection);
  connection->open();
  // stop() may have walked the table just before this connection was in it.
  if (transport_.draining.load()) connection->drain();
}

// No descriptor is left: without this the waiting caller would keep the listening socket readable for ever.
void Acceptor::shed() {
  transport_.refused_connections.fetch_add(1, std::memory_order_relaxed);
  if (reserve_ >= 0) ::close(reserve_);
  const int fd = ::accept4(socket_.impl()->sockfd(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  reserve_ = open_reserve();
}

void Acceptor::close() {
  std::lock_guard lock(mutex_);
  if (!open_) return;
  open_ = false;
  try {
    socket_.close();
  } catch (const Poco::Exception&) {  // the descriptor is given up either way
  }
}

}  // namespace vmcp::http
