// Which plugins are loaded, and what became of each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/result.h"
#include "plugin_host/plugin.h"

namespace vmcp::plugin_host {

// What the site says of one plugin. `id` is the plugin's id ("org.example.hello") or its file's name without
// ending ("hello").
struct Choice {
  std::string id;
  bool enabled = true;
  bool required = false;           // true: the server does not start without it
  bool in_process = false;         // isolation = "inprocess": asked for explicitly
  std::string prefix;              // put before each tool's name
  std::vector<std::string> tools;  // globs of single tools to offer; empty = all
  Json config = Json::object();
};

struct LoadSettings {
  std::vector<std::string> directories;  // searched in order; *.so
  std::vector<Choice> choices;           // configuration order
  bool only_chosen = false;              // PLUGINS was given: nothing else is loaded
  // File names (without ending) that load in-process without being asked for: the first-party plugins.
  std::vector<std::string> trusted = {"vm", "snapshot", "inventory", "resource"};
  ChangeSink on_change = {};  // what it refers to outlives the plugins
};

struct Loaded {
  std::string name;  // file name without ending
  std::string file;
  std::shared_ptr<Plugin> plugin;  // null: not loaded
  bool first_party = false;        // its tools may carry the reserved names
  Choice choice;
  std::string reason;  // why not, with the fix; empty when loaded
};

// What would be loaded, in the order of load_plugins(), and what would not; runs no code of any plugin.
struct Planned {
  std::string name;  // file name without ending
  std::string file;  // empty: no file answers to the choice
  Choice choice;
  bool first_party = false;
  std::optional<Manifest> manifest;
  bool left_out = false;  // by the operator's own word: no failure
  std::string reason;     // why not, with the fix; empty when it would be loaded
};
std::vector<Planned> plan_plugins(const LoadSettings& settings);

// Loads in the order: chosen ones as configured, then the others by name. One failure never stops the rest;
// chosen ones that no file answers to are reported too. A plugin whose URI scheme another one has is refused.
// Errors only when a required plugin is not loaded.
Result<std::vector<Loaded>> load_plugins(const LoadSettings& settings, Log& log);

}  // namespace vmcp::plugin_host
