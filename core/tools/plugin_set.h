// The server's plugins through time. Each has a generation; a changed one is verified, opened and started
// beside the one before, which goes on when that fails. What is offered is published at once as a whole;
// calls end with the generation that they began with, and what is no longer offered is quiesced when the last
// of them has ended.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "plugin_host/loader.h"
#include "tools/catalog.h"

namespace vmcp::tools {

class PluginSet {
 public:
  // `catalog` and `log` outlive the set. `changed` is called after something else is offered, on the thread
  // that brought it about, also on one of the set's own; it must not call the set.
  PluginSet(CurrentCatalog& catalog, bool several_vcenters, Log& log,
            std::function<void(plugin_host::Change::Kind)> changed);
  // Quiesces and closes all of them; no call may run.
  ~PluginSet();
  PluginSet(const PluginSet&) = delete;
  PluginSet& operator=(const PluginSet&) = delete;

  // The first time, and whenever files or configuration have changed. What is as it was goes on untouched. An
  // error (a required plugin does not come up, or nothing would be offered) leaves everything as it was.
  // [control]; waits for its turn
  Result<void> load(plugin_host::LoadSettings settings);

  // With what became of each; those whose `plugin` is null are not loaded. [any]
  std::vector<plugin_host::Loaded> all() const;

 private:
  using LoadedPlugins = std::vector<plugin_host::Loaded>;
  LoadedPlugins next(const plugin_host::LoadSettings& settings) const;
  std::shared_ptr<const Catalog> offer(LoadedPlugins& plugins) const;
  bool add(const plugin_host::Loaded& plugin, Catalog& catalog, std::string& why_not) const;
  void publish(LoadedPlugins plugins, CatalogPtr offered);
  void switched_off(const std::string& plugin_id);
  void tidy();  // the thread: takes out what was switched off, ends what nobody uses any more
  void take_out(const std::string& plugin_id);

  CurrentCatalog& catalog_;
  const bool several_vcenters_;
  Log& log_;
  const std::function<void(plugin_host::Change::Kind)> changed_;

  std::mutex turn_;  // one change at a time
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  LoadedPlugins plugins_;
  std::vector<plugin_host::Loaded> draining_;
  std::vector<std::string> switched_off_;
  bool stopping_ = false;
  std::thread tidier_;
};

}  // namespace vmcp::tools
