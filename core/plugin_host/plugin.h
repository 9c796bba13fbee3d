// One loaded plugin: opened, checked, started; calls go through here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "plugin_host/abi_check.h"
#include "plugin_host/host_api.h"
#include "plugin_host/invocation.h"
#include "plugin_host/library.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_host {

class Plugin {
 public:
  // From a mapped library: checks the entry, opens, reads the declarations and compares them with the
  // manifest. `log` outlives the plugin. [control]
  static Result<std::shared_ptr<Plugin>> open(EntryFunction entry, const Manifest& manifest, Log& log);
  // close() if it was opened; quiesce() first if it was started. No call may run.
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  Result<void> start(const std::string& config_json);  // [control]

  const std::string& id() const { return id_; }
  const std::string& version() const { return version_; }
  const std::vector<Declaration>& tools() const { return tools_; }
  bool has_previews() const { return preview_.run != nullptr; }

  // One round. VMCP_E_FAULT when the plugin threw. [worker]
  vmcp_status run(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const;
  vmcp_status preview(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const;

 private:
  Plugin() = default;
  std::string id_, version_;
  std::unique_ptr<HostSide> host_;
  const vmcp_plugin* foreign_ = nullptr;
  vmcp_plugin table_{};
  vmcp_tools_0 tools_table_{};
  vmcp_preview_0 preview_{};
  std::vector<Declaration> tools_;
  bool started_ = false;
};

}  // namespace vmcp::plugin_host
