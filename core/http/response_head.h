// Status line and headers of an answer, written straight into a string.
#pragma once

#include <string>

#include "http/message.h"

namespace vmcp::http {

struct ResponseFraming {
  bool close = false;           // say "Connection: close"
  bool say_keep_alive = false;  // an HTTP/1.0 client asked for it
  enum class Length { known, chunked, until_close } length = Length::known;
};

// Replaces `out` by the head. False when a header of `response` has bytes that would break the framing (then
// nothing of it may be sent), or when a stream is to follow a status that has no content.
bool write_response_head(std::string& out, const Response& response, ResponseFraming framing);

// Whether bytes of a body follow the head.
bool response_has_body(const Response& response, bool head_request);

}  // namespace vmcp::http
