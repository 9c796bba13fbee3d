// plugin sign: writes NAME.vmcp.sig beside a plugin; its maker's last step before it is shipped.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/commands.h"
#include "base/clock.h"
#include "plugin_host/library.h"
#include "plugin_host/manifest.h"
#include "plugin_host/signature.h"

namespace vmcp::app {
namespace {

using plugin_host::Place;

constexpr int kFailed = 1;

// Beside and then renamed: who looks meanwhile sees the old one or the new one.
Result<void> write_file(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const plugin_host::Descriptor fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  const bool written = fd.get() >= 0 &&
                       ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::rename(draft.c_str(), path.c_str()) == 0;
  if (!written) return make_error(Code::unavailable, path + " cannot be written: " + std::strerror(errno));
  return {};
}

int complain(int code, const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return code;
}

}  // namespace

int plugin_sign(const PluginSignOptions& options) {
  const auto library = plugin_host::seal_library(options.file, Place::workshop);
  if (!library) return complain(kUnreadable, options.file + ": " + library.error().text);
  const auto manifest = plugin_host::read_manifest(plugin_host::manifest_path(options.file), Place::workshop);
  if (!manifest) return complain(kUnreadable, options.file + ": " + manifest.error().text);
  plugin_host::Statement statement;
  statement.id = manifest->id;
  statement.version = manifest->version;
  statement.library_sha256 = library->sha256();
  statement.manifest_sha256 = manifest->sha256;
  append_iso8601(statement.signed_at, SystemClock().wall());
  const auto signature = plugin_host::sign(std::move(statement), options.key);
  if (!signature) return complain(kFailed, signature.error().text);
  const std::string out = options.out.empty() ? plugin_host::signature_path(options.file) : options.out;
  if (const auto r = write_file(out, plugin_host::signature_json(*signature)); !r)
    return complain(kFailed, r.error().text);
  std::printf("%s: %s %s\nsha256 %s\nkey    %s\n", out.c_str(), manifest->id.c_str(),
              manifest->version.c_str(), library->sha256().c_str(), signature->statement.key.c_str());
  return 0;
}

}  // namespace vmcp::app
