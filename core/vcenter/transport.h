// One HTTP request to one vCenter, and nothing about what it means: no sessions, no retries, no dialects.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/cancel.h"

namespace vmcp::vcenter {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // path and query, percent-encoded
  Headers headers;     // Host, Content-Length and Connection are the transport's
  std::string body;
  // A reused connection may have been closed by the peer in the same instant. Only such a failure, and only
  // before any byte of an answer, is repeated once on a fresh connection: always when nothing was sent, and
  // otherwise only if this is true.
  bool idempotent = false;
};

struct HttpResponse {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;
  // Empty when absent; the first when repeated. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

struct TransportFailure {
  enum class Kind {
    connect,    // name not found, refused, unreachable, or too slow to connect
    tls,        // the handshake failed or the certificate is not trusted
    busy,       // no connection of the pool became free in time
    timeout,    // connected, but no whole answer in time
    cancelled,  // the caller went away
    broken,     // the connection ended early, or the answer is not HTTP
    too_large,  // the answer exceeds the limit
    resting,    // the circuit breaker is open: not tried
  };
  Kind kind = Kind::broken;
  bool sent = false;            // bytes of the request may have reached the peer
  std::string detail;           // for the operator; never holds a header or a body
  milliseconds retry_after{0};  // resting: for how long
};

using HttpOutcome = std::variant<HttpResponse, TransportFailure>;

// [any thread] Blocks at most until `limits.deadline`; notices cancellation within 200 ms.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual HttpOutcome send(const HttpRequest& request, const CallLimits& limits) = 0;
  // Closes the idle connections; later requests connect again.
  virtual void close_idle() = 0;
};

}  // namespace vmcp::vcenter
