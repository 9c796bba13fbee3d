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
#include "plugin_host/offers.h"

namespace vmcp::plugin_host {

class Plugin {
 public:
  // From a mapped library: checks the entry, opens, reads the declarations and compares them with the
  // manifest. `log` outlives the plugin; so does what `on_change` refers to. [control]
  static Result<std::shared_ptr<Plugin>> open(EntryFunction entry, const Manifest& manifest, Log& log,
                                              ChangeSink on_change = {});
  // close() if it was opened; quiesce() first if it was started. No call may run.
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  Result<void> start(const std::string& config_json);  // [control]

  const std::string& id() const { return id_; }
  const std::string& version() const { return version_; }
  const std::vector<Declaration>& tools() const { return tools_; }
  bool has_previews() const { return preview_.run != nullptr; }
  const std::vector<ResourceDeclaration>& resources() const { return offers_.resources; }
  const std::vector<TemplateDeclaration>& templates() const { return offers_.templates; }
  const std::vector<PromptDeclaration>& prompts() const { return offers_.prompts; }
  const std::vector<std::string>& schemes() const { return offers_.schemes; }  // besides its id
  bool has_resources() const { return offers_.reads; }
  bool has_completion() const { return offers_.completion; }
  bool owns(std::string_view uri) const { return owns_uri(id_, offers_.schemes, uri); }

  // One round each; they set invocation.produces. VMCP_E_FAULT when the plugin threw, VMCP_E_UNSUPPORTED when
  // it has no such table. Resources, prompts and completions run under Allowed::read. [worker]
  vmcp_status run(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const;
  vmcp_status preview(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const;
  // Contents in invocation.blocks. VMCP_E_NOT_FOUND for a URI that is not the plugin's.
  vmcp_status read_resource(std::string_view uri, Invocation& invocation) const;
  // Messages in invocation.blocks, perhaps {"description":…} in invocation.structured.
  vmcp_status get_prompt(std::uint32_t prompt, Invocation& invocation, std::string_view args_json) const;
  // {"values":[text,…],"total":n,"hasMore":b} in invocation.structured, shape and count checked.
  vmcp_status complete(Invocation& invocation, std::string_view ref_json, std::string_view argument,
                       std::string_view value, std::string_view context_json) const;

 private:
  Plugin() = default;
  Result<void> read_declarations();
  Result<void> read_offers();
  Result<void> read_templates_and_schemes();
  template <class F>
  vmcp_status guarded_round(Invocation& invocation, Produces produces, F&& round) const;

  std::string id_, version_;
  std::unique_ptr<HostSide> host_;
  const vmcp_plugin* foreign_ = nullptr;
  vmcp_plugin table_{};
  vmcp_tools_0 tools_table_{};
  vmcp_preview_0 preview_{};
  vmcp_resources_0 resources_table_{};
  vmcp_prompts_0 prompts_table_{};
  vmcp_completion_0 completion_table_{};
  std::vector<Declaration> tools_;
  Offers offers_;
  bool started_ = false;
};

}  // namespace vmcp::plugin_host
