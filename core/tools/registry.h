// The tools that this server offers: name → tool, in a stable order. Built at start, then constant.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_host/loader.h"
#include "tools/tool.h"

namespace vmcp::tools {

// Names that only first-party plugins may offer: what users of this product know.
bool is_reserved_name(std::string_view name);

class Registry {
 public:
  // Registers the plugin's tools (those that choice.tools lets through, with choice.prefix), all of them or
  // none. The error names the tool and the fix: a name that is taken or reserved, a schema that cannot be
  // enforced, an argument that is the host's, a broken object mark.
  Result<void> add(const plugin_host::Loaded& loaded);

  ToolPtr find(std::string_view name) const;  // null when unknown
  const std::vector<ToolPtr>& all() const { return tools_; }

 private:
  std::vector<ToolPtr> tools_;
  std::map<std::string, ToolPtr, std::less<>> by_name_;
};

}  // namespace vmcp::tools
