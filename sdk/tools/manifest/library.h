// A plugin library, opened just far enough to ask it what it declares: open() and query(), never start().
#pragma once

#include <vmcp/vmcp.h>

#include <set>
#include <string>

namespace vmcp::manifest_tool {

// Throws std::runtime_error with words for the plugin's author. Closes the instance when it goes, and leaves
// the library mapped, as the host does.
class Library {
 public:
  explicit Library(const std::string& file);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const vmcp_entry& entry() const { return entry_; }
  const vmcp_plugin* plugin() const { return plugin_; }
  // The plugin's table, or one of nulls.
  vmcp_tools_1 tools() const;
  vmcp_preview_1 preview() const;
  vmcp_config_1 config() const;
  vmcp_operations_1 operations() const;
  vmcp_resources_1 resources() const;
  vmcp_prompts_1 prompts() const;
  vmcp_completion_1 completion() const;
  // The host interfaces that the plugin asked for while it was opened.
  const std::set<std::string>& interfaces() const { return interfaces_; }

 private:
  static const void* answer_query(const vmcp_host* host, const char* interface_id);

  vmcp_host host_{};
  vmcp_entry entry_{};
  const vmcp_plugin* plugin_ = nullptr;
  std::set<std::string> interfaces_;
};

}  // namespace vmcp::manifest_tool
