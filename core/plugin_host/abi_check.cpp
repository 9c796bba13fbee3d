#include "plugin_host/abi_check.h"

#include <algorithm>

#include "plugin_host/foreign.h"

namespace vmcp::plugin_host {
namespace {

constexpr std::size_t kMaxText = 4096, kMaxSchema = 256 * 1024;

// What a client may declare; the names of vmcp_call_1.client_can.
constexpr std::string_view kClientCan[] = {"sampling",        "sampling.tools", "elicitation.form",
                                           "elicitation.url", "roots",          "tasks"};

// The list without blanks, or the name that no client has.
bool known_needs(const std::string& list, std::string& out, std::string& unknown) {
  std::string name;
  for (std::size_t from = 0; from <= list.size() && !list.empty();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    name = list.substr(from, to - from);
    name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
    if (std::find(std::begin(kClientCan), std::end(kClientCan), name) == std::end(kClientCan)) {
      unknown = name;
      return false;
    }
    if (!out.empty()) out += ',';
    out += name;
    from = to + 1;
  }
  return true;
}

}  // namespace

Result<CheckedEntry> check_entry(const vmcp_entry* entry) {
  if (entry == nullptr) return unfit("vmcp_entry_v1 returned null");
  if (!VMCP_HAS(entry, open))
    return unfit("the entry's size is " + std::to_string(entry->size) +
                 ", too small; rebuild with this host's SDK");
  if (entry->abi_major != VMCP_ABI_MAJOR)
    return unfit("the plugin was built for ABI major " + std::to_string(entry->abi_major) +
                 ", this host speaks " + std::to_string(VMCP_ABI_MAJOR) +
                 "; rebuild it with this host's SDK");
  if (entry->abi_minor > VMCP_ABI_MINOR)
    return unfit("the plugin needs ABI " + std::to_string(entry->abi_major) + "." +
                 std::to_string(entry->abi_minor) + ", this host speaks " + std::to_string(VMCP_ABI_MAJOR) +
                 "." + std::to_string(VMCP_ABI_MINOR) + "; upgrade the host");
  CheckedEntry out;
  if (!bounded_text(entry->id, 128, out.id) || out.id.empty())
    return unfit("the plugin's id is missing or too long");
  const auto id_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  };
  if (out.id.find('.') == std::string::npos || !std::all_of(out.id.begin(), out.id.end(), id_char))
    return unfit("the plugin's id must be reverse-DNS in lower case, e.g. org.example.hello");
  if (!bounded_text(entry->version, 64, out.version) || out.version.empty())
    return unfit("the plugin's version is missing or too long");
  if (entry->open == nullptr) return unfit("the entry's open is null");
  out.open = entry->open;
  return out;
}

Result<vmcp_plugin> check_plugin(const vmcp_plugin* plugin) {
  if (plugin == nullptr) return unfit("open gave no plugin");
  if (!VMCP_HAS(plugin, close)) return unfit("the plugin table's size is too small");
  const vmcp_plugin own = copy_foreign(plugin);
  if (own.query == nullptr) return unfit("the plugin's query is null");
  if (own.start == nullptr) return unfit("the plugin's start is null");
  if (own.quiesce == nullptr) return unfit("the plugin's quiesce is null");
  if (own.close == nullptr) return unfit("the plugin's close is null");
  return own;
}

Result<vmcp_tools_1> check_tools(const vmcp_tools_1* tools) {
  if (tools == nullptr) return unfit("the plugin has no " VMCP_IFACE_TOOLS " table: it offers nothing");
  if (!VMCP_HAS(tools, run)) return unfit("the " VMCP_IFACE_TOOLS " table's size is too small");
  const vmcp_tools_1 own = copy_foreign(tools);
  if (own.count == nullptr || own.at == nullptr || own.run == nullptr)
    return unfit("the " VMCP_IFACE_TOOLS " table has a null function (count, at or run)");
  return own;
}

Result<vmcp_preview_1> check_preview(const vmcp_preview_1* preview) {
  if (preview == nullptr) return vmcp_preview_1{};
  if (!VMCP_HAS(preview, run) || preview->run == nullptr)
    return unfit("the " VMCP_IFACE_PREVIEW " table is there but has no run");
  vmcp_preview_1 own{};
  own.size = preview->size;
  own.run = preview->run;
  return own;
}

Result<vmcp_config_1> check_config(const vmcp_config_1* config) {
  if (config == nullptr) return vmcp_config_1{};
  if (!VMCP_HAS(config, schema) || config->schema == nullptr)
    return unfit("the " VMCP_IFACE_CONFIG " table is there but has no schema");
  vmcp_config_1 own{};
  own.size = config->size;
  own.schema = config->schema;
  return own;
}

Result<Declaration> check_tool(const vmcp_tool* tool) {
  if (tool == nullptr) return unfit("a tool's declaration is null");
  if (!VMCP_HAS(tool, input_schema))
    return unfit("a tool's declaration is too small; rebuild with this host's SDK");
  const vmcp_tool own = copy_foreign(tool);
  Declaration d;
  if (!bounded_text(own.name, 64, d.name) || d.name.empty())
    return unfit("a tool's name is missing or longer than 64 characters");
  if (!is_plain_name(d.name))
    return unfit("tool name '" + d.name + "' has a character outside [A-Za-z0-9_.-]");
  const std::string who = "tool '" + d.name + "': ";
  if (!bounded_text(own.title, 256, d.title)) return unfit(who + "title longer than 256 bytes");
  if (!bounded_text(own.description, kMaxText, d.description))
    return unfit(who + "description longer than " + std::to_string(kMaxText) + " bytes");
  if (d.description.empty()) return unfit(who + "the description is empty; models choose tools by it");
  if (!bounded_text(own.input_schema, kMaxSchema, d.input_schema))
    return unfit(who + "input schema too long");
  if (d.input_schema.empty()) return unfit(who + "the input schema is missing");
  if (!bounded_text(own.output_schema, kMaxSchema, d.output_schema))
    return unfit(who + "output schema too long");
  if (!bounded_text(own.privileges, kMaxText, d.privileges)) return unfit(who + "privileges too long");
  if (own.effect > VMCP_EFFECT_DESTROY) return unfit(who + "unknown effect " + std::to_string(own.effect));
  std::string needs, unknown;
  if (!bounded_text(own.client_needs, kMaxText, needs) || !known_needs(needs, d.client_needs, unknown))
    return unfit(who + "client_needs names '" + unknown.substr(0, 64) +
                 "', which no client declares; see vmcp_call_1.client_can");
  if (!bounded_text(own.view, kMaxUriBytes, d.view)) return unfit(who + "the view's URI is too long");
  constexpr std::uint32_t kTask = VMCP_TOOL_TASK_OPTIONAL | VMCP_TOOL_TASK_REQUIRED;
  if ((own.flags & kTask) == kTask)
    return unfit(who + "a task cannot be optional and required; choose one flag");
  if ((own.flags & VMCP_TOOL_TASK_ASKS_FIRST) != 0 && (own.flags & kTask) == 0)
    return unfit(who + "it asks before its task, but is none; add VMCP_TOOL_TASK_OPTIONAL or _REQUIRED");
  d.effect = own.effect;
  d.flags = own.flags;
  d.cost = own.cost == 0 ? 1 : own.cost;
  d.max_parallel = own.max_parallel;
  d.time_hint_ms = own.time_hint_ms;
  return d;
}

}  // namespace vmcp::plugin_host
