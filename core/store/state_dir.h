// state_dir: journal, tasks, approvals, locks and keys of one server. One process owns it at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace vmcp::store {

// What commands beside the server look for: its admin listener's address, and the key to it (keys/admin).
inline constexpr const char* kAdminFile = "admin.json";
inline constexpr const char* kAdminKey = "admin";

class StateDir {
 public:
  // Makes the directory (0700) when absent, refuses one that others may write, takes its lock ("in use by
  // pid N" otherwise). The error names the fix (STATE_DIR, permissions).
  static Result<StateDir> open(const std::string& path);
  // For programs of which one person may run several: `path`, or the first of "path-2" … "path-MOST" that
  // nobody holds. Each is a whole state directory of its own.
  static Result<StateDir> open_first_free(const std::string& path, std::size_t most);
  StateDir(StateDir&&) noexcept;
  StateDir& operator=(StateDir&&) noexcept;
  ~StateDir();

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const;  // path() + "/" + name
  // 32 random bytes, made at first use in keys/NAME (0600), the same afterwards. Refuses a key file that
  // others may read or that has another size.
  Result<Secret> key(std::string_view name) const;

 private:
  StateDir() = default;
  std::string path_;
  int lock_fd_ = -1;
};

// What STATE_DIR is when nobody set it: /var/lib/vsphere-mcp-pro for root, else $XDG_STATE_HOME or
// ~/.local/state/vsphere-mcp-pro.
std::string default_state_dir();

}  // namespace vmcp::store
