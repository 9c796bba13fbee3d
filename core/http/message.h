// Request and response as the rest of the host sees them. Poco's types stay behind http/.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exchange.h"
#include "base/peer_certificate.h"

namespace vmcp::http {

struct Header {
  std::string_view name;   // as sent
  std::string_view value;  // raw bytes, optional white space trimmed, nothing decoded
};

// One whole, framed request. Owns its bytes; every view points into them. Not movable.
class Request {
 public:
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  std::string_view method;  // "POST"
  std::string_view path;    // percent-encoding untouched, without query
  std::string_view query;   // after '?', may be empty
  std::string_view body;
  std::string peer;                       // remote address without port
  PeerCertificatePtr client_certificate;  // verified; null when none is asked for
  std::vector<Header> headers;

  // First header of that name (case-insensitive), or an empty view with data()==nullptr when absent.
  std::string_view header(std::string_view name) const;
  bool has(std::string_view name) const { return header(name).data() != nullptr; }
  // How often a header of that name occurs.
  std::size_t count(std::string_view name) const;

  std::string bytes;  // what the views point into
};

struct Response {
  int status = 200;
  std::string content_type;  // empty: no body expected
  std::string body;
  std::vector<std::pair<std::string, std::string>>
      headers;         // further ones; names and values checked, never from a client
  bool close = false;  // close the connection afterwards
};

// An answer without an end yet. Its head is out; bytes follow as somebody has them, until finish().
class Stream {
 public:
  virtual ~Stream() = default;
  // Takes all of `bytes` or nothing: what the client does not read waits in a bounded buffer
  // (ServerLimits::max_stream_buffer_bytes); a client that lets it overflow, or takes nothing for
  // write_timeout while something waits, is dropped. False: the client is gone or finish() was called. Never
  // blocks. [any]
  virtual bool write(std::string_view bytes) = 0;
  // Nothing follows. The connection goes on to its next request once everything is out. [any]
  virtual void finish() = 0;
  // Called once, on a worker or the watch thread, when the client is gone before finish(); at once when it is
  // already. Must not block. Dropped unheard after finish(). Set at most once. [any]
  virtual void on_gone(std::function<void()> gone) = 0;
};
// Whoever lets go of a stream without finish() cuts it: the client must not take half an answer for a whole
// one.
using StreamPtr = std::shared_ptr<Stream>;

struct StreamOptions {
  // Written by the transport whenever nothing was for that long, so that proxies keep the line and a dead
  // client is noticed; 0 = never.
  milliseconds keep_alive{0};
  std::string keep_alive_bytes;
};

// One request and its one answer. Kept alive by whoever still works for it; the connection goes on to its
// next request when the answer has been taken.
class HttpExchange : public Exchange {
 public:
  virtual const Request& request() const = 0;
  // First answer wins: false when one was given before (or the connection is gone). [any thread]
  virtual bool respond(Response response) = 0;
  // Answers with `head` (its body is ignored) and an open end instead. Null when an answer was given before
  // or the connection is gone. From then on an overrun no longer answers by itself. [any thread]
  virtual StreamPtr open_stream(Response head, StreamOptions options) = 0;
};

using HttpExchangePtr = std::shared_ptr<HttpExchange>;

// Called on a worker for each whole request. Must answer before it returns, or keep the pointer and answer
// later. An exception that leaves it becomes a 500 with an empty public text and one log line.
using Handler = std::function<void(const HttpExchangePtr&)>;

}  // namespace vmcp::http
