// Decodes a chunked body inside the buffer that it arrived in. Strict: sizes are plain hexadecimal digits,
// lines end in CRLF; extensions are skipped, trailers are checked and dropped; every part is bounded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmcp::http {

class ChunkDecoder {
 public:
  enum class Step { more, done, malformed, too_large };

  void reset(std::size_t max_body);

  // data[base, base + decoded()) is what was decoded so far; the bytes up to `used` are not decoded yet.
  // Moves decoded bytes down, so that nothing but body and at most one unfinished line stays; `used` shrinks
  // with it. After `done` the bytes in [end(), used) belong to the next request.
  Step feed(char* data, std::size_t base, std::size_t& used);

  std::size_t decoded() const { return decoded_; }
  std::size_t end() const { return end_; }

 private:
  enum class Phase { size_line, data, data_end, trailer };

  Step next(char* data, std::size_t used);  // one part; `done` also when the part (not the body) is complete
  Step size_line(const char* line, std::size_t length);
  Step trailer_line(const char* line, std::size_t length);

  Phase phase_ = Phase::size_line;
  std::size_t max_body_ = 0;
  std::size_t remaining_ = 0;  // of the current chunk
  std::size_t decoded_ = 0;
  std::size_t read_ = 0;   // next undecoded byte
  std::size_t write_ = 0;  // where the next decoded byte goes
  std::size_t end_ = 0;
  std::size_t trailer_bytes_ = 0;
  bool finished_ = false;
};

}  // namespace vmcp::http
