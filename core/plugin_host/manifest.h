// NAME.vmcp.json beside NAME.so: what a plugin says about itself, read before any of its code runs.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "plugin_host/abi_check.h"
#include "plugin_host/offers.h"

namespace vmcp::plugin_host {

struct Manifest {
  std::string id, version;
  std::uint16_t abi_major = 0, abi_minor = 0;
  std::vector<std::string> interfaces;  // of the host, that it asked for while it was opened
  bool previews = false;
  Json config_schema;  // null when the plugin takes no configuration
  std::vector<Declaration> tools;
  Offers offers;
};

// Where the manifest of this library lies: beside it.
std::string manifest_path(const std::string& library);

// Reads and checks the file (at most 4 MiB). Unknown members are left alone: later hosts may write more.
Result<Manifest> read_manifest(const std::string& path);
Result<Manifest> parse_manifest(std::string_view text);

// The first difference between what the manifest says and what the plugin declares at run time, in words;
// empty when there is none. Schemas are compared as values, not as bytes.
std::string difference(const Manifest& manifest, const CheckedEntry& entry,
                       const std::vector<Declaration>& tools, const Offers& offers, bool previews);

}  // namespace vmcp::plugin_host
