#include <filesystem>

#include "base/crypto.h"
#include "plugin_host/careful_file.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_host {

std::string manifest_path(const std::string& library) {
  return std::filesystem::path(library).replace_extension(".vmcp.json").string();
}

Result<Manifest> read_manifest(const std::string& path, Place place) {
  const auto text = read_carefully(path, place, kMaxManifestBytes);
  if (!text && text.error().code == Code::not_found)
    return make_error(
        Code::not_found,
        "the manifest " + path + " cannot be read; build the plugin with vmcp_add_plugin, which writes it");
  if (!text) return make_error(text.error().code, "the manifest " + path + ": " + text.error().text);
  auto manifest = parse_manifest(*text);
  if (manifest) {
    manifest->sha256 = to_hex(sha256(*text));
    manifest->text = *text;
  }
  return manifest;
}

}  // namespace vmcp::plugin_host
