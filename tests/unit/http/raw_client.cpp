#include "unit/http/raw_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace vmcp::http::test {

using std::chrono::steady_clock;

RawClient::RawClient(std::uint16_t port, int receive_buffer, const char* from)
    : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from != nullptr) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, from, &own.sin_addr) == 1);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) ended_ = true;
}

RawClient::~RawClient() {
  ::close(fd_);
}

bool RawClient::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void RawClient::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

void RawClient::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  ended_ = true;
}

bool RawClient::receive(SteadyTime until) {
  while (!ended_) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, static_cast<int>(left)) <= 0) continue;
    char block[16384];
    const ssize_t n = ::recv(fd_, block, sizeof block, 0);
    if (n > 0) {
      take({block, static_cast<std::size_t>(n)}, in_);
      return true;
    }
    ended_ = true;
  }
  return false;
}

std::size_t RawClient::find(std::string_view what, SteadyTime until) {
  std::size_t at;
  while ((at = in_.find(what)) == std::string::npos) {
    if (!receive(until)) break;
  }
  return at;
}

std::optional<Answer> RawClient::head(milliseconds within) {
  const std::size_t end = find("\r\n\r\n", steady_clock::now() + within);
  if (end == std::string::npos) return std::nullopt;
  Answer a;
  a.head = in_.substr(0, end + 4);
  a.status = std::atoi(a.head.c_str() + 9);
  in_.erase(0, end + 4);
  return a;
}

std::optional<std::string> RawClient::chunk(milliseconds within) {
  const SteadyTime until = steady_clock::now() + within;
  const std::size_t end = find("\r\n", until);
  if (end == std::string::npos) return std::nullopt;
  const std::size_t size = std::stoul(in_.substr(0, end), nullptr, 16);
  while (in_.size() < end + 2 + size + 2) {
    if (!receive(until)) return std::nullopt;
  }
  std::string data = in_.substr(end + 2, size);
  if (in_.compare(end + 2 + size, 2, "\r\n") != 0) return std::nullopt;
  in_.erase(0, end + 2 + size + 2);
  return data;
}

std::optional<std::string> RawClient::chunked_body(milliseconds within) {
  const SteadyTime until = steady_clock::now() + within;
  std::string all;
  for (;;) {
    const auto next = chunk(std::chrono::ceil<milliseconds>(until - steady_clock::now()));
    if (!next) return std::nullopt;
    if (next->empty()) return all;
    all += *next;
  }
}

std::optional<Answer> RawClient::answer(milliseconds within) {
  const SteadyTime until = steady_clock::now() + within;
  auto began = head(within);
  if (!began) return std::nullopt;
  Answer a = std::move(*began);
  const std::size_t length_at = a.head.find("Content-Length: ");
  const std::size_t length = length_at == std::string::npos
                                 ? 0
                                 : static_cast<std::size_t>(std::atol(a.head.c_str() + length_at + 16));
  auto body = bytes(length, std::chrono::ceil<milliseconds>(until - steady_clock::now()));
  if (!body) return std::nullopt;
  a.body = std::move(*body);
  return a;
}

std::optional<std::string> RawClient::bytes(std::size_t count, milliseconds within) {
  const SteadyTime until = steady_clock::now() + within;
  while (in_.size() < count) {
    if (!receive(until)) return std::nullopt;
  }
  std::string out = in_.substr(0, count);
  in_.erase(0, count);
  return out;
}

bool RawClient::closed_by_server(milliseconds within) {
  const SteadyTime until = steady_clock::now() + within;
  while (receive(until)) {
  }
  return ended_ && in_.empty();
}

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  std::string out = "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n";
  out += more_headers;
  out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  out += body;
  return out;
}

bool eventually(const std::function<bool()>& condition, milliseconds within) {
  const SteadyTime until = steady_clock::now() + within;
  while (!condition()) {
    if (steady_clock::now() >= until) return false;
    std::this_thread::yield();
  }
  return true;
}

void Gate::wait() {
  std::unique_lock lock(mutex_);
  ++inside_;
  opened_.wait(lock, [&] { return open_; });
  --inside_;
}

void Gate::open() {
  std::lock_guard lock(mutex_);
  open_ = true;
  opened_.notify_all();
}

std::size_t Gate::inside() const {
  std::lock_guard lock(mutex_);
  return inside_;
}

Response text(std::string body, int status) {
  Response r;
  r.status = status;
  r.content_type = "text/plain";
  r.body = std::move(body);
  return r;
}

Running::Running(ServerLimits limits, Handler handler, const TlsSettings* tls)
    : server_(limits, std::move(handler), log_) {
  if (tls != nullptr) REQUIRE(server_.use_tls(*tls).ok());
  const auto started = server_.start("127.0.0.1", 0);
  REQUIRE(started.ok());
}

void Running::Memory::write(LogLevel, std::string_view event, std::initializer_list<Field> fields) {
  std::lock_guard lock(mutex_);
  text_ += event;
  for (const auto& [name, value] : fields) {
    text_ += ' ';
    text_ += name;
    text_ += '=';
    text_ += value;
  }
  text_ += '\n';
}

std::string Running::Memory::text() const {
  std::lock_guard lock(mutex_);
  return text_;
}

}  // namespace vmcp::http::test
