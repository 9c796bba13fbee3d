// From what the site wrote, in all places, to Settings: or to every error at once.
// Precedence: flags > environment > .env file > TOML files > defaults.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/node.h"
#include "config/settings.h"
#include "config/table.h"

namespace vmcp::config {

inline constexpr const char* kDefaultConfigFile = "/etc/vsphere-mcp-pro/vsphere-mcp-pro.toml";
inline constexpr const char* kDefaultEnvFile = ".env";
inline constexpr const char* kConfigVariable = "VMCP_CONFIG";

struct Flag {
  std::string key;    // "server.port"
  std::string value;  // as one would write it in a variable
  std::string name;   // "--listen", for messages
};

struct Options {
  bool demo = false;  // --demo: loopback, the demo's tokens, the embedded vCenter; no files by default
  bool require_vcenter = true;  // false for commands that need no vCenter
  bool require_token = true;    // false for commands that serve nobody
  std::string config_file;  // --config: must exist; empty: VMCP_CONFIG, then default_config_file if it exists
  std::string env_file;     // --env-file: must exist; empty: default_env_file if it exists
  std::string default_config_file = kDefaultConfigFile;  // empty: none
  std::string default_env_file = kDefaultEnvFile;
  std::vector<Flag> flags;
  std::vector<std::pair<std::string, std::string>> environment;
};

// One line of the effective configuration.
struct Effective {
  const Row* row = nullptr;
  std::string value;  // in TOML syntax, secrets masked; empty = not set
  Origin origin;
};

struct Loaded {
  Settings settings;
  std::vector<Effective> effective;   // in the order of table()
  std::vector<std::string> warnings;  // for the log; no secret in them
  std::vector<std::string> files;     // that were read, in order
};

// Either `loaded` or at least one problem. Nothing of a refused configuration is kept.
struct LoadResult {
  std::optional<Loaded> loaded;
  Problems problems;
  bool ok() const { return loaded.has_value(); }
};

// Reads files; blocks on the disk only. Never throws but for exhaustion.
LoadResult load(const Options& options);

// The environment of this process, for Options.
std::vector<std::pair<std::string, std::string>> process_environment();

// "H:P", ":P", "[v6]:P" or "P" of --listen as the two flags that it stands for.
Result<std::vector<Flag>> listen_flags(const std::string& listen);

}  // namespace vmcp::config
