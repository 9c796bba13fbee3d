// The server's plugins through time. Each has a generation; a changed one is verified, opened and started
// beside the one before, which goes on when that fails. What is offered is published at once as a whole;
// calls end with the generation that they began with, and what is no longer offered is quiesced when the last
// of them has ended.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "plugin_host/loader.h"
#include "tools/catalog.h"
#include "tools/plugin_switches.h"

namespace vmcp::tools {

class PluginSet {
 public:
  // `catalog`, `switches` and `log` outlive the set. `changed` is called after something else is offered, on
  // the thread that brought it about, also on one of the set's own; it must not call the set.
  PluginSet(CurrentCatalog& catalog, PluginSwitches& switches, bool several_vcenters, Log& log,
            std::function<void(plugin_host::Change::Kind)> changed);
  // Quiesces and closes all of them; no call may run.
  ~PluginSet();
  PluginSet(const PluginSet&) = delete;
  PluginSet& operator=(const PluginSet&) = delete;

  // The first time, and whenever files or configuration have changed. What is as it was goes on untouched. An
  // error (a required plugin does not come up, or nothing would be offered) leaves everything as it was.
  // [control]; waits for its turn
  Result<void> load(plugin_host::LoadSettings settings);

  // One plugin, by its id or its file's name. The rest goes on untouched, whatever its files have become.
  // Calls that run end with the generation that they began with. Errors leave everything as it was.
  // [control]; wait for their turn
  //
  // Out of what is offered, from now on and after restarts, until enable(). `by`: who says so, for people.
  Result<void> disable(const std::string& plugin, const std::string& by, WallTime at);
  // Loads it as its files are now and as the configuration of the last load() has it.
  Result<void> enable(const std::string& plugin);
  // Back to the generation before, from the very bytes that ran then, whose trust is judged anew. The file
  // that was turned away from stays away until another one lies in its place, or the server starts again.
  Result<void> roll_back(const std::string& plugin);

  // With what became of each; those whose `plugin` is null are not loaded. [any]
  std::vector<plugin_host::Loaded> all() const;
  // The version and hash that roll_back() would go to; empty when there is none. [any]
  std::pair<std::string, std::string> before(const std::string& name) const;

 private:
  // What ran until another generation took its place.
  struct Former {
    plugin_host::Planned planned;
    std::shared_ptr<plugin_host::SealedLibrary> library;
  };
  using LoadedPlugins = std::vector<plugin_host::Loaded>;
  // `only`: name of the one that may change; empty: all may.
  LoadedPlugins next(const plugin_host::LoadSettings& settings, const std::string& only = {});
  plugin_host::Loaded next_of(const plugin_host::Planned& planned, const plugin_host::LoadSettings& settings,
                              plugin_host::TrustJudge& judge, const LoadedPlugins& beside) const;
  Result<plugin_host::Loaded> find(const std::string& plugin) const;
  std::shared_ptr<plugin_host::SealedLibrary> known_bytes(const plugin_host::Planned& planned,
                                                          const plugin_host::TrustJudge& judge) const;
  bool held_back(const plugin_host::Planned& planned, const plugin_host::TrustJudge& judge) const;
  std::shared_ptr<const Catalog> offer(LoadedPlugins& plugins) const;
  bool add(const plugin_host::Loaded& plugin, Catalog& catalog, std::string& why_not) const;
  void publish(LoadedPlugins plugins, CatalogPtr offered);
  void switched_off(const std::string& plugin_id);
  void tidy();  // the thread: takes out what was switched off, ends what nobody uses any more
  void take_out(const std::string& plugin_id);

  CurrentCatalog& catalog_;
  PluginSwitches& switches_;
  const bool several_vcenters_;
  Log& log_;
  const std::function<void(plugin_host::Change::Kind)> changed_;

  std::mutex turn_;  // one change at a time; guards the next two
  std::optional<plugin_host::LoadSettings> settings_;
  std::map<std::string, std::string>
      held_back_;  // plugin's name → hash of the file that was turned away from
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  LoadedPlugins plugins_;
  std::vector<plugin_host::Loaded> draining_;
  std::map<std::string, Former> former_;  // by the plugin's name
  std::vector<std::string> switched_off_;
  bool stopping_ = false;
  std::thread tidier_;
};

}  // namespace vmcp::tools
