// The one place where a refusal gets its HTTP status, its JSON-RPC code and its headers.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "mcp/endpoint.h"

namespace vmcp::mcp {

// What the protocol itself refuses, before anyone asks whether the caller may do it.
enum class Refusal {
  http_method,          // not POST
  content_type,         // not application/json
  not_acceptable,       // the client takes no JSON
  not_json,             // the body is not (one, guarded) JSON value
  not_request,          // JSON, but no JSON-RPC message of this era
  envelope,             // params or _meta are not what every request must have
  header_mismatch,      // a header is missing, malformed or unequal to the body
  unsupported_version,  // a modern revision that is not served
  unknown_method,
  bad_params,
};

struct Fault {
  int status = 200;
  int code = 0;
  std::string text;
  std::string data;  // JSON text; empty = none
  std::vector<std::pair<std::string, std::string>> headers;
};

Fault fault_of(Refusal refusal, bool modern, std::string text);
// A refusal of the pipeline for a request whose id is known (throttle, list, unknown tool, server fault).
Fault fault_of(const Error& error);
// A refusal before anything was parsed; a challenge is not yet among its headers.
Fault admission_fault(const Error& error);

}  // namespace vmcp::mcp
