// Request and response as the rest of the host sees them. Poco's types stay behind http/.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exchange.h"

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
  std::string peer;  // remote address without port
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

// One request and its one answer. Kept alive by whoever still works for it; the connection goes on to its
// next request when the answer has been taken.
class HttpExchange : public Exchange {
 public:
  virtual const Request& request() const = 0;
  // First answer wins: false when one was given before (or the connection is gone). [any thread]
  virtual bool respond(Response response) = 0;
};

using HttpExchangePtr = std::shared_ptr<HttpExchange>;

// Called on a worker for each whole request. Must answer before it returns, or keep the pointer and answer
// later. An exception that leaves it becomes a 500 with an empty public text and one log line.
using Handler = std::function<void(const HttpExchangePtr&)>;

}  // namespace vmcp::http
