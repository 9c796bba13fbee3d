// GET of one small document from a server that the operator configured.
#pragma once

#include <string>

#include "base/log.h"
#include "base/result.h"

namespace vmcp::app {

// Over TLS, verified against the system's authorities; plain HTTP to this machine only. No redirects, at most
// 256 KiB, at most ten seconds. `log` outlives the call. [any thread; blocks]
Result<std::string> fetch(const std::string& url, Log& log);

}  // namespace vmcp::app
