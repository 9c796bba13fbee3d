#include "http/chunked.h"

#include <algorithm>
#include <cstring>

#include "http/syntax.h"

namespace vmcp::http {
namespace {

constexpr std::size_t kMaxSizeLine = 256;  // digits and extensions
constexpr std::size_t kMaxTrailers = 8 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ChunkDecoder::reset(std::size_t max_body) {
  *this = ChunkDecoder();
  max_body_ = max_body;
}

ChunkDecoder::Step ChunkDecoder::feed(char* data, std::size_t base, std::size_t& used) {
  read_ = write_ = base + decoded_;
  Step step = Step::done;
  while (step == Step::done && !finished_) step = next(data, used);
  if (step == Step::more && read_ != write_) {
    const std::size_t rest = used - read_;
    std::memmove(data + write_, data + read_, rest);
    used = write_ + rest;
  }
  end_ = read_;
  return step;
}

ChunkDecoder::Step ChunkDecoder::next(char* data, std::size_t used) {
  const std::size_t available = used - read_;
  if (phase_ == Phase::data) {
    const std::size_t n = std::min(available, remaining_);
    if (n != 0 && read_ != write_) std::memmove(data + write_, data + read_, n);
    read_ += n;
    write_ += n;
    decoded_ += n;
    remaining_ -= n;
    if (remaining_ != 0) return Step::more;
    phase_ = Phase::data_end;
    return Step::done;
  }
  if (phase_ == Phase::data_end) {
    if (available >= 1 && data[read_] != '\r') return Step::malformed;
    if (available < 2) return Step::more;
    if (data[read_ + 1] != '\n') return Step::malformed;
    read_ += 2;
    phase_ = Phase::size_line;
    return Step::done;
  }
  const std::size_t limit = phase_ == Phase::size_line ? kMaxSizeLine : kMaxTrailers;
  const char* start = data + read_;
  const char* lf = static_cast<const char*>(std::memchr(start, '\n', available));
  if (lf == nullptr) return available > limit ? Step::malformed : Step::more;
  const std::size_t with_lf = static_cast<std::size_t>(lf - start) + 1;
  if (with_lf > limit || with_lf < 2 || lf[-1] != '\r') return Step::malformed;
  read_ += with_lf;
  return phase_ == Phase::size_line ? size_line(start, with_lf - 2) : trailer_line(start, with_lf - 2);
}

ChunkDecoder::Step ChunkDecoder::size_line(const char* line, std::size_t length) {
  std::size_t size = 0;
  std::size_t i = 0;
  for (; i < length && hex_digit(line[i]) >= 0; ++i) {
    if (size > max_body_) continue;  // already too large; keeps the shift from overflowing
    size = size * 16 + static_cast<std::size_t>(hex_digit(line[i]));
  }
  if (i == 0 || (i < length && line[i] != ';')) return Step::malformed;
  if (!is_field_value({line + i, length - i})) return Step::malformed;
  if (size > max_body_ || decoded_ > max_body_ - size) return Step::too_large;
  remaining_ = size;
  phase_ = size == 0 ? Phase::trailer : Phase::data;
  return Step::done;
}

ChunkDecoder::Step ChunkDecoder::trailer_line(const char* line, std::size_t length) {
  if (length == 0) {
    finished_ = true;
    return Step::done;
  }
  trailer_bytes_ += length + 2;
  const char* colon = static_cast<const char*>(std::memchr(line, ':', length));
  if (trailer_bytes_ > kMaxTrailers || colon == nullptr) return Step::malformed;
  const std::size_t name = static_cast<std::size_t>(colon - line);
  if (!is_token({line, name}) || !is_field_value({colon + 1, length - name - 1})) return Step::malformed;
  return Step::done;
}

}  // namespace vmcp::http
