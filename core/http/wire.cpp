#include "http/wire.h"

#include <Poco/Exception.h>
#include <sys/socket.h>

#include <cerrno>

namespace vmcp::http {
namespace {

WireResult failure() {
  const bool again = errno == EAGAIN || errno == EWOULDBLOCK;
  return {again ? WireResult::Kind::would_block : WireResult::Kind::failed};
}

}  // namespace

PlainWire::PlainWire(Poco::Net::StreamSocket socket)
    : socket_(std::move(socket)), descriptor_(socket_.impl()->sockfd()) {}

PlainWire::~PlainWire() {
  close();
}

// Raw calls: Poco's receiveBytes and sendBytes report "would block" by exception and know no gathered write.
WireResult PlainWire::read(char* to, std::size_t room) {
  for (;;) {
    const ssize_t n = ::recv(descriptor_, to, room, MSG_DONTWAIT);
    if (n > 0) return {WireResult::Kind::bytes, static_cast<std::size_t>(n)};
    if (n == 0) return {WireResult::Kind::closed};
    if (errno != EINTR) return failure();
  }
}

WireResult PlainWire::write(const iovec* parts, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);  // sendmsg does not change them
  message.msg_iovlen = static_cast<std::size_t>(count);
  for (;;) {
    const ssize_t n = ::sendmsg(descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) return {WireResult::Kind::bytes, static_cast<std::size_t>(n)};
    if (errno != EINTR) return failure();
  }
}

void PlainWire::finish_writing() {
  ::shutdown(descriptor_, SHUT_WR);
}

void PlainWire::close() {
  if (descriptor_ < 0) return;
  descriptor_ = -1;
  try {
    socket_.close();
  } catch (const Poco::Exception&) {  // nothing to be done about a descriptor that does not close
  }
}

}  // namespace vmcp::http
