// The transport over Poco's HTTP client: pooled kept-alive connections, TLS, deadlines, cancellation.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "vcenter/endpoint.h"
#include "vcenter/transport.h"

namespace vmcp::vcenter {

struct TransportOptions {
  bool plain_http = false;
  bool verify_tls = true;
  std::string ca_bundle;  // PEM; empty = the system's
  milliseconds connect_timeout{5'000};
  milliseconds timeout{20'000};  // one request, connecting included
  std::size_t max_connections = 16;
  std::size_t max_answer_bytes = 64u << 20;
};

// Fails when the CA bundle cannot be read. `log` outlives the transport.
Result<std::unique_ptr<Transport>> make_poco_transport(Endpoint endpoint, TransportOptions options, Log& log);

}  // namespace vmcp::vcenter
