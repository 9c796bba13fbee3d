#include "plugin_host/child/channel.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace vmcp::plugin_host::child {
namespace {

constexpr std::size_t kHead = sizeof(std::uint32_t) + 1;  // length of the fields, kind
constexpr std::size_t kFirst_bytes = 16u << 10;
constexpr std::size_t kKept_bytes = 1u << 20;  // a buffer that grew beyond is given back

}  // namespace

Channel::~Channel() {
  if (fd_ >= 0) ::close(fd_);
}

void Channel::give_up_after(int milliseconds) {
  const timeval time{milliseconds / 1000, (milliseconds % 1000) * 1000};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Writer Channel::begin(Message kind) {
  if (out_.capacity() > kKept_bytes) out_ = std::string();
  out_.assign(kHead, '\0');
  out_[kHead - 1] = static_cast<char>(kind);
  sent_ = 0;
  return Writer(out_);
}

Channel::State Channel::send() {
  if (sent_ == 0) {
    const auto size = static_cast<std::uint32_t>(out_.size() - kHead);
    std::memcpy(out_.data(), &size, sizeof size);
  }
  while (sent_ < out_.size()) {
    const ssize_t n = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (n > 0) {
      sent_ += static_cast<std::size_t>(n);
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return State::waits;
    } else if (n == 0 || errno != EINTR) {
      return State::gone;
    }
  }
  return State::done;
}

Channel::State Channel::receive() {
  if (taken_ == filled_) {
    taken_ = filled_ = 0;
    if (in_.size() > kKept_bytes) in_ = std::string();
  }
  while (true) {
    std::size_t wanted = kHead;
    if (filled_ - taken_ >= kHead) {
      std::uint32_t size = 0;
      std::memcpy(&size, in_.data() + taken_, sizeof size);
      if (size > most_bytes_) return State::broken;
      wanted += size;
      if (filled_ - taken_ >= wanted) {
        kind_ = static_cast<Message>(in_[taken_ + kHead - 1]);
        fields_ = std::string_view(in_).substr(taken_ + kHead, size);
        taken_ += wanted;
        return State::done;
      }
    }
    if (taken_ > 0) {
      in_.erase(0, taken_);
      filled_ -= taken_;
      taken_ = 0;
    }
    // Grown by what has come and not by what was announced: a child cannot make the server reserve memory.
    if (in_.size() - filled_ < kFirst_bytes / 2) in_.resize(std::max(kFirst_bytes, filled_ * 2));
    const ssize_t n = ::recv(fd_, in_.data() + filled_, in_.size() - filled_, 0);
    if (n > 0) {
      filled_ += static_cast<std::size_t>(n);
    } else if (n == 0) {
      return State::gone;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return State::waits;
    } else if (errno != EINTR) {
      return State::gone;
    }
  }
}

bool Channel::holds_message() const {
  if (filled_ - taken_ < kHead) return false;
  std::uint32_t size = 0;
  std::memcpy(&size, in_.data() + taken_, sizeof size);
  return filled_ - taken_ - kHead >= size;
}

}  // namespace vmcp::plugin_host::child
