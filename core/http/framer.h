// Finds one whole request in the bytes of a connection and refuses what different HTTP implementations would
// read differently (the ground of request smuggling) before anyone acts on it. Pure: bytes in, verdict out,
// no I/O, and the same verdict however the bytes were cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "http/chunked.h"
#include "http/message.h"

namespace vmcp::http {

struct FrameLimits {
  std::size_t max_head_bytes = 32 * 1024;
  std::size_t max_target_bytes = 8 * 1024;
  std::size_t max_fields = 100;
  std::size_t max_body_bytes = 4 * 1024 * 1024;
};

// Why a request is not served. The text is public: what is wrong and what to send instead.
struct Refusal {
  int status = 400;
  std::string_view text;
};

class Framer {
 public:
  enum class Step { more_head, more_body, whole, refused };

  explicit Framer(const FrameLimits& limits) : limits_(limits) { fields_.reserve(16); }
  void reset();

  // data[0, used) holds everything received since the request began; call again when more arrived (the block
  // may have moved). A chunked body is decoded in place, which makes `used` smaller. Not called again after
  // `whole` or `refused`.
  Step feed(char* data, std::size_t& used);

  // After `whole`: points the request's views at `data`, and says how many bytes belong to it; what follows
  // is the next request.
  void describe(const char* data, Request& request) const;
  std::size_t consumed() const { return consumed_; }
  bool keep_alive() const { return keep_alive_; }
  int minor_version() const { return minor_version_; }

  const Refusal& refusal() const { return refusal_; }  // after `refused`
  // With `more_body`: the client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  // How large the block must become at the most; 0 while that is unknown (head unfinished, or chunked).
  std::size_t size_hint() const { return chunked_ ? 0 : consumed_; }

 private:
  struct Span {
    std::uint32_t at = 0, size = 0;
  };
  struct Field {
    Span name, value;
  };

  static std::string_view view(const char* data, Span s) { return {data + s.at, s.size}; }
  bool refuse(int status, std::string_view text);  // always false
  bool too_long_for_request_line(std::size_t size) const;
  bool scan_head(const char* data, std::size_t used);
  bool request_line(const char* data, std::size_t at, std::size_t size);
  bool version(std::string_view v);
  bool field_line(const char* data, std::size_t at, std::size_t size);
  bool known_field(std::string_view name, std::string_view value);
  bool content_length(std::string_view value);
  bool host(std::string_view value);
  void connection(std::string_view value);
  bool end_of_head(const char* data);
  bool resolve_target(const char* data);
  Step body(char* data, std::size_t& used);

  FrameLimits limits_;
  std::vector<Field> fields_;
  ChunkDecoder chunks_;
  Refusal refusal_;

  Span method_, target_, path_, query_, host_;
  std::size_t scan_ = 0;        // start of the first line that is not parsed yet
  std::size_t seen_ = 0;        // bytes already searched for its end
  std::size_t head_bytes_ = 0;  // 0 until the head is complete
  std::size_t consumed_ = 0;
  std::size_t content_length_ = 0;
  int minor_version_ = 1;
  bool have_request_line_ = false, skipped_empty_line_ = false;
  bool have_length_ = false, have_host_ = false, have_transfer_encoding_ = false;
  bool chunked_ = false, expects_continue_ = false;
  bool says_close_ = false, says_keep_alive_ = false, keep_alive_ = true;
};

}  // namespace vmcp::http
