#include "stdio/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vmcp::stdio {

bool LineReader::fill() {
  while (true) {
    pollfd watched[2] = {{input_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (::poll(watched, stop_ < 0 ? 1 : 2, -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (stop_ >= 0 && watched[1].revents != 0) return false;
    char chunk[16 * 1024];
    const ssize_t n = ::read(input_, chunk, sizeof chunk);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(n));
    return true;
  }
}

LineReader::Got LineReader::next(std::string& line) {
  while (true) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      const bool skipped = std::exchange(skipping_, false);
      line.assign(buffer_, 0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return skipped || line.size() > max_line_bytes_ ? Got::too_long : Got::line;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > max_line_bytes_) {
      skipping_ = true;
      buffer_.clear();
      searched_ = 0;
    }
    if (!fill()) return Got::end;
  }
}

}  // namespace vmcp::stdio
