#include "http/framer.h"

#include <algorithm>
#include <cstring>

#include "http/syntax.h"

namespace vmcp::http {
namespace {

constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kAroundTarget = kMaxMethod + 16;  // the rest of a request line

// Which bytes a Host value may have: a registered name, an address, a bracketed IPv6 address, a port.
bool is_host_value(std::string_view v) {
  if (v.empty()) return false;
  for (const char c : v) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alnum && std::string_view("-._~%!$&'()*+;=:[]").find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

void Framer::reset() {
  fields_.clear();
  refusal_ = {};
  method_ = target_ = path_ = query_ = host_ = {};
  scan_ = seen_ = head_bytes_ = consumed_ = content_length_ = 0;
  minor_version_ = 1;
  have_request_line_ = skipped_empty_line_ = false;
  have_length_ = have_host_ = have_transfer_encoding_ = false;
  chunked_ = expects_continue_ = says_close_ = says_keep_alive_ = false;
  keep_alive_ = true;
}

bool Framer::refuse(int status, std::string_view text) {
  refusal_ = {status, text};
  return false;
}

Framer::Step Framer::feed(char* data, std::size_t& used) {
  if (head_bytes_ == 0) {
    if (!scan_head(data, used)) return Step::refused;
    if (head_bytes_ == 0) return Step::more_head;
  }
  return body(data, used);
}

// `size`: bytes of the line so far, perhaps with its CR. Asked of whole and of unfinished lines alike, before
// anything else, so that the verdict does not depend on how much of the line has come.
bool Framer::too_long_for_request_line(std::size_t size) const {
  return size > limits_.max_target_bytes + kAroundTarget + 1;
}

// Parses every line that is complete. False: refused.
bool Framer::scan_head(const char* data, std::size_t used) {
  // A TLS hello or other noise has no line end for a long time: its first byte already shows it.
  if (used > 0 && data[0] != '\r' && !is_token({data, 1})) {
    return refuse(400, "The request does not begin with an HTTP method. Speak plain HTTP/1.1 to this port.");
  }
  while (seen_ < used) {
    const char* lf = static_cast<const char*>(std::memchr(data + seen_, '\n', used - seen_));
    if (lf == nullptr) {
      seen_ = used;
      break;
    }
    const std::size_t line_end = static_cast<std::size_t>(lf - data);
    const std::size_t at = scan_;
    if (line_end + 1 > limits_.max_head_bytes) break;
    if (!have_request_line_ && too_long_for_request_line(line_end - at)) break;
    if (line_end == at || data[line_end - 1] != '\r') {
      return refuse(400, "A line of the request head ends without CR. End every line with CRLF.");
    }
    const std::size_t size = line_end - 1 - at;
    scan_ = seen_ = line_end + 1;
    if (!have_request_line_) {
      if (size == 0 && !skipped_empty_line_) {  // RFC 9112 §2.2: one stray CRLF after a former body
        skipped_empty_line_ = true;
      } else if (!request_line(data, at, size)) {
        return false;
      }
    } else if (size == 0) {
      head_bytes_ = scan_;
      return end_of_head(data);
    } else if (!field_line(data, at, size)) {
      return false;
    }
  }
  if (!have_request_line_ && too_long_for_request_line(used - scan_)) {
    return refuse(414, "The request target is too long.");
  }
  if (used > limits_.max_head_bytes) {
    return refuse(431, "The request head is too large. Send fewer or shorter headers.");
  }
  return true;
}

bool Framer::request_line(const char* data, std::size_t at, std::size_t size) {
  const std::string_view line(data + at, size);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) {
    return refuse(400, "The request line is not 'METHOD target HTTP/1.1'.");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (method.size() > kMaxMethod || !is_token(method)) return refuse(400, "The method is not an HTTP token.");
  if (target.size() > limits_.max_target_bytes) return refuse(414, "The request target is too long.");
  if (!is_target(target)) return refuse(400, "The request target has bytes that a URI may not have.");
  method_ = {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(method.size())};
  target_ = {static_cast<std::uint32_t>(at + first + 1), static_cast<std::uint32_t>(target.size())};
  have_request_line_ = true;
  return version(line.substr(second + 1));
}

bool Framer::version(std::string_view v) {
  const auto digit = [&](std::size_t i) { return v[i] >= '0' && v[i] <= '9'; };
  if (v.size() != 8 || v.substr(0, 5) != "HTTP/" || v[6] != '.' || !digit(5) || !digit(7)) {
    return refuse(400, "The request line does not end with an HTTP version.");
  }
  if (v != "HTTP/1.1" && v != "HTTP/1.0") {
    return refuse(505, "This HTTP version is not spoken here. Use HTTP/1.1.");
  }
  minor_version_ = v[7] - '0';
  return true;
}

bool Framer::field_line(const char* data, std::size_t at, std::size_t size) {
  const std::string_view line(data + at, size);
  if (line[0] == ' ' || line[0] == '\t') {
    return refuse(400, "A header is folded over several lines. Send it on one line.");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return refuse(400, "A header line has no colon.");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) {
    return refuse(400,
                  "A header name is empty or has bytes that it may not have (a space before the colon?).");
  }
  const std::string_view raw = line.substr(colon + 1);
  if (!is_field_value(raw)) return refuse(400, "A header value has control bytes.");
  if (fields_.size() >= limits_.max_fields) {
    return refuse(431, "The request has too many headers. Send at most 100.");
  }
  const std::string_view value = trim_blanks(raw);
  const std::size_t value_at = value.empty() ? at + size : static_cast<std::size_t>(value.data() - data);
  const Field field{{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(name.size())},
                    {static_cast<std::uint32_t>(value_at), static_cast<std::uint32_t>(value.size())}};
  fields_.push_back(field);
  if (!known_field(name, value)) return false;
  if (name.size() == 4 && equal_ignoring_case(name, "host")) host_ = field.value;
  return true;
}

// Fields on which the framing itself depends.
bool Framer::known_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      return equal_ignoring_case(name, "host") ? host(value) : true;
    case 6:
      if (!equal_ignoring_case(name, "expect")) return true;
      if (!equal_ignoring_case(value, "100-continue")) {
        return refuse(417, "Only 'Expect: 100-continue' is known here.");
      }
      expects_continue_ = true;
      return true;
    case 10:
      if (equal_ignoring_case(name, "connection")) connection(value);
      return true;
    case 14:
      return equal_ignoring_case(name, "content-length") ? content_length(value) : true;
    case 17:
      if (!equal_ignoring_case(name, "transfer-encoding")) return true;
      if (have_transfer_encoding_) return refuse(400, "Transfer-Encoding was sent twice. Send it once.");
      have_transfer_encoding_ = true;
      if (!equal_ignoring_case(value, "chunked")) {
        return refuse(501, "Only 'Transfer-Encoding: chunked' is known here.");
      }
      chunked_ = true;
      return true;
    default:
      return true;
  }
}

bool Framer::content_length(std::string_view value) {
  if (have_length_) return refuse(400, "Content-Length was sent twice. Send it once.");
  have_length_ = true;
  if (value.empty()) return refuse(400, "Content-Length is empty. Send digits only.");
  std::size_t length = 0;
  bool too_large = false;
  for (const char c : value) {
    if (c < '0' || c > '9') return refuse(400, "Content-Length is not a plain number. Send digits only.");
    length = length * 10 + static_cast<std::size_t>(c - '0');
    if (length > limits_.max_body_bytes) {
      too_large = true;
      length = limits_.max_body_bytes;
    }
  }
  if (too_large) return refuse(413, "The request body is larger than this server takes.");
  content_length_ = length;
  return true;
}

bool Framer::host(std::string_view value) {
  if (have_host_) return refuse(400, "Host was sent twice. Send it once.");
  have_host_ = true;
  return is_host_value(value) || refuse(400, "The Host header is empty or not a host name with a port.");
}

void Framer::connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim_blanks(value.substr(0, comma));
    says_close_ = says_close_ || equal_ignoring_case(option, "close");
    says_keep_alive_ = says_keep_alive_ || equal_ignoring_case(option, "keep-alive");
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

bool Framer::end_of_head(const char* data) {
  if (minor_version_ == 1 && !have_host_) return refuse(400, "HTTP/1.1 needs a Host header.");
  if (chunked_ && have_length_) {
    return refuse(400, "Content-Length and Transfer-Encoding exclude each other. Send one of them.");
  }
  if (chunked_ && minor_version_ == 0) return refuse(400, "HTTP/1.0 knows no Transfer-Encoding.");
  if (minor_version_ == 0) expects_continue_ = false;
  keep_alive_ = !says_close_ && (minor_version_ == 1 || says_keep_alive_);
  chunks_.reset(limits_.max_body_bytes);
  consumed_ = head_bytes_ + content_length_;
  return resolve_target(data);
}

// Origin form, or absolute form that names the same host as Host does; '*' belongs to OPTIONS alone.
bool Framer::resolve_target(const char* data) {
  std::string_view target = view(data, target_);
  Span path = target_;
  if (target[0] != '/') {
    if (target == "*" && view(data, method_) == "OPTIONS") {
      path_ = path;
      return true;
    }
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos || (!equal_ignoring_case(target.substr(0, scheme), "http") &&
                                             !equal_ignoring_case(target.substr(0, scheme), "https"))) {
      return refuse(400, "The request target is neither a path nor an http URL.");
    }
    const std::size_t authority_at = scheme + 3;
    const std::size_t slash = std::min(target.find_first_of("/?", authority_at), target.size());
    const std::string_view authority = target.substr(authority_at, slash - authority_at);
    if (have_host_ ? !equal_ignoring_case(authority, view(data, host_)) : !is_host_value(authority)) {
      return refuse(400, "The host in the request target is not the one in the Host header.");
    }
    if (slash == target.size() || target[slash] != '/') {
      return refuse(400, "The URL in the request line has no path.");
    }
    target.remove_prefix(slash);
    path.at += static_cast<std::uint32_t>(slash);
    path.size -= static_cast<std::uint32_t>(slash);
  }
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) {
    query_ = {path.at + static_cast<std::uint32_t>(question) + 1,
              path.size - static_cast<std::uint32_t>(question) - 1};
    path.size = static_cast<std::uint32_t>(question);
  }
  path_ = path;
  return true;
}

Framer::Step Framer::body(char* data, std::size_t& used) {
  if (!chunked_) return used >= consumed_ ? Step::whole : Step::more_body;
  switch (chunks_.feed(data, head_bytes_, used)) {
    case ChunkDecoder::Step::more:
      return Step::more_body;
    case ChunkDecoder::Step::done:
      content_length_ = chunks_.decoded();
      consumed_ = chunks_.end();
      return Step::whole;
    case ChunkDecoder::Step::too_large:
      refuse(413, "The request body is larger than this server takes.");
      return Step::refused;
    case ChunkDecoder::Step::malformed:
      break;
  }
  refuse(400, "The chunked body is malformed.");
  return Step::refused;
}

void Framer::describe(const char* data, Request& request) const {
  request.method = view(data, method_);
  request.path = view(data, path_);
  request.query = view(data, query_);
  request.body = {data + head_bytes_, content_length_};
  request.headers.clear();
  request.headers.reserve(fields_.size());
  for (const Field& f : fields_) request.headers.push_back({view(data, f.name), view(data, f.value)});
}

}  // namespace vmcp::http
