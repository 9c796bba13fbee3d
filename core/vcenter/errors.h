// The one place where failures of vCenter and of the way to it become the host's errors: a code that says
// what to do next, vCenter's own words, and the fix. Pure functions. [any thread]
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "vcenter/fault.h"
#include "vcenter/transport.h"

namespace vmcp::vcenter {

// An answer with an error status. `body` in the /api shape; `target` is the path that was asked for;
// `privileges` are those that the operation needs (comma-separated), named where vCenter says only that some
// is missing.
Error automation_error(int status, std::string_view body, std::string_view target,
                       std::string_view privileges = {});
// A VI/JSON answer with an error status.
Error vim_error(int status, std::string_view body, std::string_view privileges = {});
// A fault found inside a value, such as TaskInfo.error.
Error vim_fault_error(const Json& fault);

// No answer came. `host` as configured; `changing`: the request would have changed something.
Error transport_error(const TransportFailure& failure, std::string_view host, bool changing);

// True if such a failure leaves open whether the request was carried out.
bool outcome_unknown(const TransportFailure& failure);
bool outcome_unknown(int status, const Fault& fault);

// Appended to the text of a change whose outcome is unknown.
void mark_outcome_unknown(Error& error);

}  // namespace vmcp::vcenter
