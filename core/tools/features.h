// What this server offers besides tools: resources, templates and prompts, each with the plugin (or the host
// itself) that answers for it. Built at start, then constant.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_host/loader.h"
#include "tools/tool.h"

namespace vmcp::tools {

struct Resource {
  std::string uri;     // or the template
  std::string listed;  // its entry in the list, as JSON
  ToolPtr reader;
};

// Every prompt takes it, as every tool does: the vCenter that it is about. The plugin does not see it.
inline constexpr const char* kHostname = "hostname";

struct PromptArgument {
  std::string name;
  bool required = false;
};

struct Prompt {
  std::string name;
  std::string listed;
  std::vector<PromptArgument> arguments;
  std::uint32_t index = 0;  // within the plugin
  ToolPtr getter;
};

class Features {
 public:
  Features();  // with the host's own: vsphere://

  // All that the plugin offers, or nothing. The error names what is taken and the fix. With
  // `several_vcenters` the lists say that a prompt takes the host's argument kHostname.
  Result<void> add(const plugin_host::Loaded& loaded, bool several_vcenters = false);

  const std::vector<Resource>& resources() const { return resources_; }
  const std::vector<Resource>& templates() const { return templates_; }
  const std::vector<Prompt>& prompts() const { return prompts_; }
  const Prompt* find_prompt(std::string_view name) const;
  // Who answers for this URI, listed or not; null when nobody does. A reader without a plugin is the host.
  ToolPtr reader_of(std::string_view uri) const;

 private:
  struct Owner {
    std::string plugin_id;
    std::vector<std::string> schemes;
    ToolPtr reader;
  };
  std::vector<Resource> resources_, templates_;
  std::vector<Prompt> prompts_;
  std::vector<Owner> owners_;
  ToolPtr host_;
};

}  // namespace vmcp::tools
