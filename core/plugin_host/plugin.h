// One loaded plugin: what it declares, frozen, and the way to call it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "plugin_host/carrier.h"
#include "plugin_host/host_api.h"
#include "plugin_host/in_process.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_host {

class Plugin {
 public:
  explicit Plugin(Opened opened) : opened_(std::move(opened)) {}
  // From a library that was mapped into this process; see open_in_process(). [control]
  static Result<std::shared_ptr<Plugin>> open(EntryFunction entry, const Manifest& manifest, Log& log,
                                              ChangeSink on_change = {},
                                              UpstreamTables upstream = upstream_table);

  Result<void> start(const std::string& config_json) { return opened_.carrier->start(config_json); }

  const std::string& id() const { return opened_.id; }
  const std::string& version() const { return opened_.version; }
  const Manifest& manifest() const { return *opened_.manifest; }
  bool usable() const { return opened_.carrier->usable(); }  // [any]
  const std::vector<Declaration>& tools() const { return opened_.tools; }
  bool has_previews() const { return opened_.previews; }
  const std::vector<ResourceDeclaration>& resources() const { return opened_.offers.resources; }
  const std::vector<TemplateDeclaration>& templates() const { return opened_.offers.templates; }
  const std::vector<PromptDeclaration>& prompts() const { return opened_.offers.prompts; }
  const std::vector<std::string>& schemes() const { return opened_.offers.schemes; }  // besides its id
  bool has_resources() const { return opened_.offers.reads; }
  bool has_completion() const { return opened_.offers.completion; }
  bool owns(std::string_view uri) const { return owns_uri(id(), schemes(), uri); }

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
  vmcp_status carry(const Round& round, Invocation& invocation) const;

  Opened opened_;
};

}  // namespace vmcp::plugin_host
