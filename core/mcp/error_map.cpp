#include "mcp/error_map.h"

#include "base/json.h"
#include "base/mask.h"
#include "mcp/client_side.h"

namespace vmcp::mcp {
namespace {

struct Wire {
  int modern_status;
  int legacy_status;
  int code;
};

Wire wire_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::http_method:
      return {405, 405, -32600};
    case Refusal::content_type:
      return {415, 415, -32600};
    case Refusal::not_acceptable:
      return {406, 406, -32600};
    case Refusal::not_json:
      return {400, 400, -32700};
    case Refusal::not_request:
      return {400, 400, -32600};
    case Refusal::envelope:
      return {400, 400, -32602};
    case Refusal::header_mismatch:
      return {400, 400, -32020};
    case Refusal::unsupported_version:
      return {400, 400, -32022};
    case Refusal::unknown_method:
      return {404, 200, -32601};  // in the legacy era 404 means that the session is gone
    case Refusal::bad_params:
      return {200, 200, -32602};
  }
  return {200, 200, -32603};
}

// Codes of ours lie outside -32768…-32000, which belong to JSON-RPC and MCP.
Wire wire_of(Code code) {
  switch (code) {
    case Code::unauthenticated:
      return {401, 401, -31401};
    case Code::denied:
      return {403, 403, -31403};
    case Code::throttled:
      return {429, 429, -31429};
    case Code::unavailable:
      return {503, 503, -31503};
    case Code::malformed:  // e.g. a cursor
    case Code::unknown_tool:
    case Code::invalid_argument:
    case Code::not_found:
    case Code::conflict:
    case Code::needs_confirm:
      return {200, 200, -32602};
    case Code::client_lacks:
      return {400, 200, -32021};
    case Code::timeout:
    case Code::cancelled:
    case Code::internal:
      break;
  }
  return {200, 200, -32603};
}

void add_retry(Fault& fault, const Error& error) {
  std::string data = "{";
  if (error.retry_after_ms > 0) {
    append_json_key(data, "retry_after_ms");
    append_json_int(data, error.retry_after_ms);
    // Seconds, rounded up: who waits that long has waited long enough.
    fault.headers.emplace_back("Retry-After", std::to_string((error.retry_after_ms + 999) / 1000));
  }
  if (error.quota.limit > 0) {
    append_json_key(data, "limit");
    append_json_int(data, error.quota.limit);
    append_json_key(data, "remaining");
    append_json_int(data, error.quota.remaining);
    append_json_key(data, "reset_ms");
    append_json_int(data, error.quota.reset_ms);
  }
  if (!error.rule.empty()) {
    append_json_key(data, "rule");
    append_json_string(data, error.rule);
  }
  data += '}';
  if (data.size() > 2) fault.data = std::move(data);
}

}  // namespace

Fault fault_of(Refusal refusal, bool modern, std::string text) {
  const Wire wire = wire_of(refusal);
  Fault fault{modern ? wire.modern_status : wire.legacy_status, wire.code, std::move(text), {}, {}};
  if (refusal == Refusal::http_method) fault.headers.emplace_back("Allow", "POST");
  return fault;
}

Fault fault_of(const Error& error) {
  const Wire wire = wire_of(error.code);
  Fault fault{wire.modern_status, wire.code, mask_text(error.text), {}, {}};
  if (error.code == Code::client_lacks) {
    fault.data = R"({"requiredCapabilities":)" + required_capabilities(error.rule) + "}";
    return fault;
  }
  add_retry(fault, error);
  return fault;
}

Fault admission_fault(const Error& error) {
  Fault fault = fault_of(error);
  if (error.code == Code::malformed) fault.status = 400, fault.code = -32600;
  // Nothing was parsed yet: there is no JSON-RPC exchange that a 200 could belong to.
  if (fault.status == 200) fault.status = fault.code == -32603 ? 500 : 403;
  return fault;
}

}  // namespace vmcp::mcp
