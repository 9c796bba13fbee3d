// NAME.vmcp.json beside NAME.so: what a plugin says about itself, read before any of its code runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "plugin_host/abi_check.h"
#include "plugin_host/careful_file.h"
#include "plugin_host/offers.h"

namespace vmcp::plugin_host {

constexpr std::size_t kMaxManifestBytes = 4u << 20;

struct Manifest {
  std::string id, version;
  std::uint16_t abi_major = 0, abi_minor = 0;
  std::vector<std::string> interfaces;  // of the host, that it asked for while it was opened
  bool previews = false;
  Json config_schema;  // null when the plugin takes no configuration
  std::vector<Declaration> tools;
  Offers offers;
  // What the plugin may ask of a vCenter: "GET /api/vcenter/vm/*", "VirtualMachine.PowerOnVM_Task". Absent:
  // whatever the effect of its tools allows. Present: nothing else, and never more than that.
  std::optional<std::vector<std::string>> operations;
  std::string sha256;  // of the manifest's own bytes, set by read_manifest(); so is text
  std::string text;    // those bytes: what a child process is told

  // May the plugin have this table of the host? vmcp.log always, so that it can say what is wrong; else what
  // the manifest names. [any thread]
  bool grants(std::string_view iface) const;
  // Do its declared operations have this request? [any thread]
  bool allows_request(std::string_view method, std::string_view path) const;
  bool allows_vim(std::string_view type, std::string_view member) const;
};

// Where the manifest of this library lies: beside it.
std::string manifest_path(const std::string& library);

// Reads the file once, as carefully as a library (careful_file.h; at most 4 MiB), and checks it. Unknown
// members are left alone: later hosts may write more.
Result<Manifest> read_manifest(const std::string& path, Place place = Place::service);
Result<Manifest> parse_manifest(std::string_view text);

// The first difference between what the manifest says and what the plugin declares at run time, in words;
// empty when there is none. Schemas are compared as values, not as bytes.
std::string difference(const Manifest& manifest, const CheckedEntry& entry,
                       const std::vector<Declaration>& tools, const Offers& offers, bool previews);

}  // namespace vmcp::plugin_host
