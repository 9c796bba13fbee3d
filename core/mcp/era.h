// Which revision of the protocol a message speaks. Decided per message, by its body; the header is a
// cross-check (modern) or the only witness (legacy). Nothing is remembered between requests.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace vmcp::mcp {

enum class Version { v2025_03_26, v2025_06_18, v2025_11_25, v2026_07_28 };

inline constexpr Version kLatestLegacy = Version::v2025_11_25;
inline constexpr std::string_view kMetaVersion = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view kMetaCapabilities = "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view kMetaClientInfo = "io.modelcontextprotocol/clientInfo";
inline constexpr std::string_view kMetaServerInfo = "io.modelcontextprotocol/serverInfo";

std::string_view version_name(Version version);
inline bool is_modern(Version version) {
  return version == Version::v2026_07_28;
}
// A revision of the handshake era by its name; false when it is none that is served.
bool legacy_version(std::string_view name, Version& out);

// What the message claims to be. `header`: MCP-Protocol-Version, data()==nullptr when absent.
enum class Claim {
  modern,          // _meta carries a protocol version
  legacy,          // `version` is set
  modern_no_meta,  // the header names a revision that needs _meta (or one that nobody knows): never legacy
};
struct EraChoice {
  Claim claim = Claim::legacy;
  Version version = Version::v2025_03_26;
};
EraChoice choose_era(std::string_view method, const Json* params, std::string_view header);

// params._meta, or null when there is none or it is no object.
const Json* meta_of(const Json* params);

}  // namespace vmcp::mcp
