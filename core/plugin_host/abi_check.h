// Checks on foreign tables, as pure functions: nothing is loaded, nothing is called but what is named, so
// every case is a unit test with one spoiled pointer. Each function copies what it accepts; nothing foreign
// is kept.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {

struct CheckedEntry {
  std::string id, version;
  vmcp_status (*open)(const vmcp_host*, const vmcp_plugin**) = nullptr;
};

// Refuses: null, a size without the required members, another major, a minor that is newer than ours, an id
// that is not reverse-DNS of at most 128 characters, an empty version, a null open.
Result<CheckedEntry> check_entry(const vmcp_entry* entry);
// Refuses a null query, start, quiesce or close.
Result<vmcp_plugin> check_plugin(const vmcp_plugin* plugin);
Result<vmcp_tools_1> check_tools(const vmcp_tools_1* tools);
Result<vmcp_preview_1> check_preview(const vmcp_preview_1* preview);
Result<vmcp_config_1> check_config(const vmcp_config_1* config);

// A tool's declaration, copied. Schemas are still text.
struct Declaration {
  std::string name, title, description, input_schema, output_schema, privileges;
  std::string client_needs;  // comma-separated names as in invocation.h, without blanks
  std::string view;          // ui:// URI, or empty
  std::uint32_t effect = 0, flags = 0, cost = 1, max_parallel = 0, time_hint_ms = 0;
  bool operator==(const Declaration&) const = default;
};
// Refuses: null or empty name, characters outside [A-Za-z0-9_.-], more than 64; an empty description; a
// missing input schema; an unknown effect; flags that exclude each other; a client capability that nobody
// has; texts over their bounds.
Result<Declaration> check_tool(const vmcp_tool* tool);

}  // namespace vmcp::plugin_host
