#include "http/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace vmcp::http {

Poller::~Poller() {
  if (epoll_ >= 0) ::close(epoll_);
  if (wake_ >= 0) ::close(wake_);
}

Result<void> Poller::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event e{};
  e.events = EPOLLIN;  // neither one-shot nor edge: it must wake all
  e.data.u64 = kWakeToken;
  if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &e) != 0) {
    return make_error(Code::unavailable, std::string("The system gave no descriptors for the HTTP server (") +
                                             std::strerror(errno) + "). Raise the limit of open files.");
  }
  return {};
}

bool Poller::add(int descriptor, std::uint64_t token, std::uint32_t events) {
  epoll_event e{};
  e.events = events | EPOLLONESHOT;
  e.data.u64 = token;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &e) == 0;
}

bool Poller::arm(int descriptor, std::uint64_t token, std::uint32_t events) {
  epoll_event e{};
  e.events = events | EPOLLONESHOT;
  e.data.u64 = token;
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &e) == 0;
}

bool Poller::wait(Event& event) {
  epoll_event e{};
  if (::epoll_wait(epoll_, &e, 1, -1) != 1 || e.data.u64 == kWakeToken) return false;
  event = {e.data.u64, e.events};
  return true;
}

void Poller::wake_all() {
  const std::uint64_t one = 1;
  // The counter cannot overflow from here, and it is never read back.
  if (::write(wake_, &one, sizeof one) < 0) return;
}

}  // namespace vmcp::http
