#include "audit/tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "audit/encode.h"
#include "audit/fd.h"
#include "audit/segment.h"
#include "base/secret.h"

namespace vmcp::audit {
namespace {

// Room for an unfinished batch that a power cut left as zeros, and two whole lines.
constexpr std::size_t kWindowBytes = 4u << 20;

Error tail_error(const std::string& what, const std::string& path, int error_number = 0) {
  std::string text = what + " '" + path + "'";
  if (error_number != 0) text += std::string(": ") + std::strerror(error_number);
  return make_error(Code::unavailable, std::move(text));
}

Result<std::string> read_window(int fd, off_t from, std::size_t size, const std::string& path) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, bytes.data() + have, size - have, from + static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return tail_error("cannot read the journal", path, n < 0 ? errno : EIO);
    have += static_cast<std::size_t>(n);
  }
  return bytes;
}

// Nothing of a journal is ever thrown away: what is cut off is kept beside it first.
Result<void> set_aside(const std::string& file, std::string_view bytes) {
  const Fd out(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (out.fd < 0) return tail_error("cannot keep the journal's unfinished line in", file, errno);
  if (::write(out.fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::fsync(out.fd) != 0)
    return tail_error("cannot keep the journal's unfinished line in", file, errno);
  return {};
}

// The line that ends before `end` (the place of its '\n'), without that.
std::string_view line_ending_at(std::string_view window, std::size_t end) {
  const auto before = end == 0 ? std::string_view::npos : window.rfind('\n', end - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return window.substr(begin, end - begin);
}

// Checks the last whole line against the one before it.
Result<Head> check_last_line(std::string_view window, std::size_t end, bool window_is_file, ChainMac& mac,
                             const std::string& path) {
  const Error foreign = tail_error(
      "the last record was changed, or was made with another key; run `audit verify`, then move away the "
      "journal",
      path);
  const std::string_view text = line_ending_at(window, end);
  const auto line = parse_line(text);
  if (!line) return foreign;
  std::string previous(kMacHexBytes, '0');
  const auto begin = static_cast<std::size_t>(text.data() - window.data());
  if (begin > 0) {
    const auto before = parse_line(line_ending_at(window, begin - 1));
    if (!before) return foreign;
    previous = std::string(before->mac);
  } else if (!window_is_file) {
    return foreign;  // a line longer than any that we write
  }
  if (!equal_constant_time(mac.of(previous, line->json), line->mac)) {
    const std::string_view stated = stated_previous(*line);
    if (stated.empty() || !equal_constant_time(mac.of(stated, line->json), line->mac)) return foreign;
  }
  return Head{std::string(line->mac), line->seq};
}

}  // namespace

Result<Tail> recover_tail(const std::string& path, ChainMac& mac) {
  Tail tail;
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) {
    if (errno == ENOENT) return tail;
    return tail_error("cannot open the journal", path, errno);
  }
  struct stat st;
  if (::fstat(file.fd, &st) != 0) return tail_error("cannot read the journal", path, errno);
  if (!S_ISREG(st.st_mode)) return tail_error("not a regular file: the journal", path);
  if (st.st_size == 0) return tail;

  const auto size = static_cast<std::size_t>(st.st_size);
  const std::size_t window_size = std::min(size, kWindowBytes);
  auto window = read_window(file.fd, st.st_size - static_cast<off_t>(window_size), window_size, path);
  if (!window) return window.error();
  const auto last_newline = window->rfind('\n');
  if (last_newline == std::string::npos && size > window_size) return tail_error("not a journal:", path);
  const std::size_t whole = last_newline == std::string::npos ? 0 : last_newline + 1;
  if (whole > 0) {
    auto head = check_last_line(*window, whole - 1, window_size == size, mac, path);
    if (!head) return head.error();
    tail.head = std::move(*head);
    tail.empty = false;
  }
  if (whole == window_size) return tail;

  const std::string_view torn = std::string_view(*window).substr(whole);
  tail.torn_file = path + ".torn";
  tail.torn_bytes = torn.size();
  if (auto ok = set_aside(tail.torn_file, torn); !ok) return ok.error();
  if (::ftruncate(file.fd, st.st_size - static_cast<off_t>(torn.size())) != 0 || ::fsync(file.fd) != 0)
    return tail_error("cannot cut the unfinished line off the journal", path, errno);
  return tail;
}

Result<Head> read_last(const std::string& path, ChainMac& mac) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat st;
  if (file.fd < 0 && errno == ENOENT) return make_error(Code::not_found, "there is no '" + path + "'");
  if (file.fd < 0 || ::fstat(file.fd, &st) != 0) return tail_error("cannot read the journal", path, errno);
  const auto size = static_cast<std::size_t>(st.st_size);
  const std::size_t window_size = std::min(size, kWindowBytes);
  auto window = read_window(file.fd, st.st_size - static_cast<off_t>(window_size), window_size, path);
  if (!window) return window.error();
  const auto newline = window->rfind('\n');
  if (newline == std::string::npos)
    return make_error(Code::not_found, "there is no record in '" + path + "'");
  return check_last_line(*window, newline, window_size == size, mac, path);
}

Result<std::string> live_head(const std::string& path, ChainMac& mac, const Signer& signer, WallTime at) {
  auto last = read_last(path, mac);
  const auto segments = list_segments(path);
  if (!segments) return segments.error();
  // A segment was closed this moment.
  if (!last && last.error().code == Code::not_found && !segments->empty() && segments->back().has_file)
    last = read_last(segments->back().file, mac);
  if (!last) return last.error();
  SegmentHead head;
  head.live = true;
  head.last_seq = last->seq;
  head.last_mac = last->mac;
  head.at = iso8601(at);
  for (const Segment& segment : *segments) {
    if (!segment.has_head || segment.last_seq > last->seq) continue;
    const auto before = read_head(segment.head_file);
    if (!before) return before.error();
    head.previous_head_sha256 = before->file_sha256;
  }
  return signed_text(head, signer);
}

Result<Tail> recover_journal(const std::string& path, ChainMac& mac) {
  auto tail = recover_tail(path, mac);
  if (!tail || !tail->empty) return tail;
  const auto segments = list_segments(path);
  if (!segments) return segments.error();
  if (segments->empty()) return tail;
  const Segment& last = segments->back();
  if (last.has_file) {
    auto head = read_last(last.file, mac);
    if (!head) return head.error();
    tail->head = std::move(*head);
    return tail;
  }
  // Deleted when its time was over: its head is what is left.
  const auto head = read_head(last.head_file);
  if (!head) return head.error();
  if (!head->signature_fits || head->head.last_mac.size() != kMacHexBytes)
    return tail_error("the signature does not fit: the head", last.head_file);
  tail->head = {head->head.last_mac, head->head.last_seq};
  return tail;
}

}  // namespace vmcp::audit
