// Which VI/JSON release to speak, and what vCenter says about itself. Pure functions. [any thread]
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"
#include "vcenter/connection.h"

namespace vmcp::vcenter {

// The releases whose shapes the host knows, best first. A newer server accepts older ones.
inline constexpr std::array<std::string_view, 3> kReleases = {"8.0.3.0", "8.0.2.0", "8.0.1.0"};

// Body of POST /api/vcenter/system?action=hello, and the release of its answer (empty: none in common, or not
// such an answer).
std::string hello_body();
std::string release_from_hello(std::string_view body);

// From /sdk/vimServiceVersions.xml. Error unavailable when the server is older than 8.0 U1, or the text is
// not that document. Entities and document types are refused, not expanded.
Result<std::string> release_from_versions(std::string_view xml);

// ServiceInstance.content as VI/JSON sends it.
Result<About> read_service_content(std::string_view body, std::string_view release);

}  // namespace vmcp::vcenter
