// Requests as vCenter's HTTP interfaces want them.
#pragma once

#include <string>
#include <string_view>

#include "vcenter/transport.h"

namespace vmcp::vcenter {

// With Accept, Content-Type and User-Agent; nothing else.
HttpRequest json_request(std::string method, std::string target);

// Everything but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);

// A path that a caller may have composed from an argument: under `prefix`, visible ASCII, no fragment, no dot
// segments (plain or encoded), bounded. It cannot leave the place that the operation table has judged.
bool sound_target(std::string_view target, std::string_view prefix);

// False for an answer that announces something other than JSON: a proxy's or a portal's page.
bool json_answer(const HttpResponse& response);

}  // namespace vmcp::vcenter
