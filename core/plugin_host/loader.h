// Which plugins are loaded, and what became of each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/result.h"
#include "plugin_host/child/carrier.h"
#include "plugin_host/library.h"
#include "plugin_host/plugin.h"
#include "plugin_host/trust.h"

namespace vmcp::plugin_host {

// What the site says of one plugin. `id` is the plugin's id ("org.example.hello") or its file's name without
// ending ("hello").
struct Choice {
  std::string id;
  bool enabled = true;
  bool required = false;           // true: the server does not start without it
  bool in_process = false;         // isolation = "inprocess"; else in a process of its own
  std::string prefix;              // put before each tool's name
  std::vector<std::string> tools;  // globs of single tools to offer; empty = all
  std::string sha256;              // the library must be these bytes: 64 lower-case hex digits; empty: any
  bool allow_downgrade = false;    // a signed version below one that ran before is fine
  Json config = Json::object();
};

struct LoadSettings {
  std::vector<std::string> directories;                  // searched in order; *.so
  std::vector<Choice> choices;                           // configuration order
  bool only_chosen = false;                              // PLUGINS was given: nothing else is loaded
  bool only_first_party = false;                         // --safe-mode
  std::map<std::string, std::string> switched_off = {};  // plugin id → why, for people; not loaded
  // File names (without ending) of the first-party plugins. They are first-party where they lie beside the
  // program, are pinned by the operator, or on a workbench (TrustSettings::Mode::dev).
  std::vector<std::string> trusted = {"vm", "snapshot", "inventory", "resource"};
  TrustSettings trust = {};
  child::Settings apart = {};  // for plugins in processes of their own; which library is filled in
  ChangeSink on_change = {};   // what it refers to outlives the plugins
  // Before a plugin is opened: does [plugin.config] fit what its manifest asks for? Null: nobody looks.
  std::function<Result<void>(const Manifest&, const Json& config)> check_config = {};
};

struct Loaded {
  std::string name;  // file name without ending
  std::string file;
  std::shared_ptr<Plugin> plugin;  // null: not loaded
  bool first_party = false;        // its tools may carry the reserved names
  Choice choice;
  std::string reason;  // why not, with the fix; empty when loaded
  // The bytes that run, and who vouched for them; kept as long as anything may map them again.
  std::shared_ptr<SealedLibrary> library = nullptr;
  Trust trust = {};
  std::uint32_t generation = 1;  // of this plugin since the server started
  bool switched_off = false;     // by an operator while the server ran: no failure
};

// The plugin in an audit record, as JSON members: "plugin", "plugin_version", "plugin_sha256" (absent when it
// was not loaded from a file) and "plugin_generation". Made once per loaded plugin.
std::string audit_members(const Loaded& loaded);

// What would be loaded, in the order of load_plugins(), and what would not; runs no code of any plugin.
struct Planned {
  std::string name;  // file name without ending
  std::string file;  // empty: no file answers to the choice
  Choice choice;
  bool first_party = false;
  bool beside_program = false;  // … and where the program's own plugins lie
  std::optional<Manifest> manifest;
  bool left_out = false;      // by the operator's own word: no failure
  bool switched_off = false;  // … of LoadSettings::switched_off
  std::string reason = {};    // why not, with the fix; empty when it would be loaded
};
std::vector<Planned> plan_plugins(const LoadSettings& settings);

// The planned plugin's sealed bytes and who vouches for them; runs none of its code. What is loaded is this
// library and planned.manifest: neither file is read again.
struct Vetted {
  SealedLibrary library;
  Result<Trust> trust;
};
Result<Vetted> vet_plugin(const Planned& planned, const TrustJudge& judge);

// Everything of one plan, from the sealed bytes to the started plugin, or the reason why not. `others` are
// those that will be beside it. `sealed`: bytes that ran before, instead of the file's; judged as if new.
Loaded load_plugin(const Planned& planned, const LoadSettings& settings, TrustJudge& judge,
                   const std::vector<Loaded>& others, Log& log,
                   std::shared_ptr<SealedLibrary> sealed = nullptr);

// One line for the operator: loaded, or why not.
void report(const Loaded& loaded, Log& log);

// Loads in the order: chosen ones as configured, then the others by name. One failure never stops the rest;
// chosen ones that no file answers to are reported too. A plugin whose URI scheme another one has is refused.
// Errors only when a required plugin is not loaded.
Result<std::vector<Loaded>> load_plugins(const LoadSettings& settings, Log& log);

}  // namespace vmcp::plugin_host
