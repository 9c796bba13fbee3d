// The headers of a modern request against its body. The body is what counts; a header that says something
// else is a request that two readers could understand differently, and is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "mcp/endpoint.h"
#include "tools/headers_gate.h"

namespace vmcp::mcp {

// Empty, or what is wrong and the fix; header values are not repeated.
std::string check_version_header(const Inbound& inbound, std::string_view version);
std::string check_method_headers(const Inbound& inbound, std::string_view method, const Json* params);
std::string check_param_headers(const Inbound& inbound, const std::vector<tools::HeaderParam>& declared,
                                const Json& arguments);

// Content-Type: application/json, alone or with charset=utf-8.
bool is_json_content(std::string_view content_type);
// Accept: absent, or one of its ranges takes application/json.
bool accepts_json(std::string_view accept);
// Accept names text/event-stream (or everything); absent: no.
bool accepts_event_stream(std::string_view accept);

}  // namespace vmcp::mcp
