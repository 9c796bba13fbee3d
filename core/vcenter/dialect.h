// The /rest dialect of the Automation API (VSPHERE_API_MODE=rest) behind the /api one: callers always write
// and read /api. Pure functions. [any thread]
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "vcenter/connection.h"

namespace vmcp::vcenter {

struct WireRequest {
  std::string method;
  std::string target;  // path and query
  std::string body;
};

// Fails for an operation that has no /rest twin (the text names VSPHERE_API_MODE) and for a body that is not
// JSON.
Result<WireRequest> to_rest(const AutomationRequest& request);

// The /api shape of a /rest answer to `request`: {"value":…} unwrapped and key/value lists turned into maps,
// or the error object unwrapped. Text that is not such an answer is returned as it is when `status` says
// failure, and is an error otherwise.
Result<std::string> from_rest(const AutomationRequest& request, int status, std::string_view body);

}  // namespace vmcp::vcenter
