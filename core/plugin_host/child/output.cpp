#include "plugin_host/child/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace vmcp::plugin_host::child {
namespace {

constexpr std::size_t kAtOnce_bytes = 4096;  // one log line
// As much as a pipe holds: who fills it meanwhile is read on after the rest.
constexpr std::size_t kMostAtOnce_bytes = 64u << 10;
// Well below what HostSide lets a plugin log, so that a flood does not displace what the plugin logs itself.
constexpr std::size_t kToldPerSecond_bytes = 16u << 10;
constexpr std::size_t kLeastTold_bytes = 1024;  // many short lines are a flood too
constexpr milliseconds kRest{5};

}  // namespace

Output::~Output() {
  if (fd_ >= 0) ::close(fd_);
}

void Output::open(int fd) {
  fd_ = fd;
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

int Output::wait_ms(SteadyTime now, int otherwise) const {
  if (fd_ < 0 || now >= rests_until_) return otherwise;
  const auto rest = std::chrono::ceil<milliseconds>(rests_until_ - now).count();
  return otherwise < 0 ? static_cast<int>(rest) : std::min(static_cast<int>(rest), otherwise);
}

void Output::take(SteadyTime now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    told_in_second_ = 0;
  }
  char text[kAtOnce_bytes];
  for (std::size_t taken = 0; fd_ >= 0 && taken < kMostAtOnce_bytes;) {
    const ssize_t n = ::read(fd_, text, sizeof text);
    if (n > 0) {
      taken += static_cast<std::size_t>(n);
      tell({text, static_cast<std::size_t>(n)});
    } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      break;
    } else {
      ::close(fd_);
      fd_ = -1;
    }
  }
  if (told_in_second_ >= kToldPerSecond_bytes) rests_until_ = now + kRest;
}

void Output::tell(std::string_view text) {
  if (told_in_second_ >= kToldPerSecond_bytes || !listener_) return;
  listener_(text);
  told_in_second_ += std::max(text.size(), kLeastTold_bytes);
  if (told_in_second_ >= kToldPerSecond_bytes)
    listener_("(it prints too much; what follows within this second is left out)");
}

}  // namespace vmcp::plugin_host::child
