// The real Fleet, over Poco's HTTP client.
#pragma once

#include <memory>

#include "base/log.h"
#include "vcenter/connection.h"
#include "vcenter/settings.h"

namespace vmcp::vcenter {

// `log` outlives the fleet. Nothing is connected before the first request. Fails on settings that cannot work
// (no host, plain_http for a foreign address, unreadable CA bundle).
Result<std::unique_ptr<Fleet>> make_fleet(Settings settings, Log& log);

}  // namespace vmcp::vcenter
