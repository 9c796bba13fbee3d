#include "mcp/era.h"

namespace vmcp::mcp {

std::string_view version_name(Version version) {
  switch (version) {
    case Version::v2025_03_26:
      return "2025-03-26";
    case Version::v2025_06_18:
      return "2025-06-18";
    case Version::v2025_11_25:
      return "2025-11-25";
    case Version::v2026_07_28:
      return "2026-07-28";
  }
  return "2026-07-28";
}

bool legacy_version(std::string_view name, Version& out) {
  for (const Version v : {Version::v2025_11_25, Version::v2025_06_18, Version::v2025_03_26}) {
    if (name == version_name(v)) {
      out = v;
      return true;
    }
  }
  return false;
}

const Json* meta_of(const Json* params) {
  if (params == nullptr) return nullptr;
  const auto it = params->find("_meta");
  return it == params->end() || !it->is_object() ? nullptr : &*it;
}

EraChoice choose_era(std::string_view method, const Json* params, std::string_view header) {
  const Json* meta = meta_of(params);
  if (meta != nullptr && meta->contains(kMetaVersion)) return {Claim::modern, Version::v2026_07_28};
  // The handshake chooses its own version, whatever the header says.
  if (method == "initialize") return {Claim::legacy, kLatestLegacy};
  EraChoice choice;
  if (header.data() == nullptr) return choice;  // before 2025-06-18 nobody sent the header
  if (!legacy_version(header, choice.version)) choice.claim = Claim::modern_no_meta;
  return choice;
}

}  // namespace vmcp::mcp
