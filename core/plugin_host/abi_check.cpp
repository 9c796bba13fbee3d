#include "plugin_host/abi_check.h"

#include <algorithm>
#include <cstring>

namespace vmcp::plugin_host {
namespace {

constexpr std::size_t kMaxText = 4096, kMaxSchema = 256 * 1024;

Error refuse(std::string text) {
  return make_error(Code::invalid_argument, std::move(text));
}

// Text of a foreign C string with a bound, so that a missing zero cannot run away.
bool bounded_text(const char* text, std::size_t max, std::string& out) {
  if (text == nullptr) return true;
  const std::size_t length = strnlen(text, max + 1);
  if (length > max) return false;
  out.assign(text, length);
  return true;
}

bool ends_within(std::uint32_t size, std::size_t offset, std::size_t member) {
  return offset + member <= size;
}

#define VMCP_HAS(table, member)                                                                           \
  (ends_within((table)->size, offsetof(std::remove_cv_t<std::remove_pointer_t<decltype(table)>>, member), \
               sizeof((table)->member)))

}  // namespace

template <class T>
T copy_table(const T* foreign) {
  T own;
  std::memset(&own, 0, sizeof own);
  std::memcpy(&own, foreign, std::min<std::size_t>(foreign->size, sizeof own));
  return own;
}
template vmcp_tool copy_table(const vmcp_tool*);
template vmcp_plugin copy_table(const vmcp_plugin*);
template vmcp_tools_0 copy_table(const vmcp_tools_0*);

Result<CheckedEntry> check_entry(const vmcp_entry* entry) {
  if (entry == nullptr) return refuse("vmcp_entry_v1 returned null");
  if (!VMCP_HAS(entry, open))
    return refuse("the entry's size is " + std::to_string(entry->size) +
                  ", too small; rebuild with this host's SDK");
  if (entry->abi_major != VMCP_ABI_MAJOR)
    return refuse("the plugin was built for ABI major " + std::to_string(entry->abi_major) +
                  ", this host speaks " + std::to_string(VMCP_ABI_MAJOR) +
                  "; rebuild it with this host's SDK");
  if (entry->abi_minor > VMCP_ABI_MINOR)
    return refuse("the plugin needs ABI " + std::to_string(entry->abi_major) + "." +
                  std::to_string(entry->abi_minor) + ", this host speaks " + std::to_string(VMCP_ABI_MAJOR) +
                  "." + std::to_string(VMCP_ABI_MINOR) + "; upgrade the host");
  CheckedEntry out;
  if (!bounded_text(entry->id, 128, out.id) || out.id.empty())
    return refuse("the plugin's id is missing or too long");
  const auto id_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  };
  if (out.id.find('.') == std::string::npos || !std::all_of(out.id.begin(), out.id.end(), id_char))
    return refuse("the plugin's id must be reverse-DNS in lower case, e.g. org.example.hello");
  if (!bounded_text(entry->version, 64, out.version) || out.version.empty())
    return refuse("the plugin's version is missing or too long");
  if (entry->open == nullptr) return refuse("the entry's open is null");
  out.open = entry->open;
  return out;
}

Result<vmcp_plugin> check_plugin(const vmcp_plugin* plugin) {
  if (plugin == nullptr) return refuse("open gave no plugin");
  if (!VMCP_HAS(plugin, close)) return refuse("the plugin table's size is too small");
  const vmcp_plugin own = copy_table(plugin);
  if (own.query == nullptr) return refuse("the plugin's query is null");
  if (own.start == nullptr) return refuse("the plugin's start is null");
  if (own.quiesce == nullptr) return refuse("the plugin's quiesce is null");
  if (own.close == nullptr) return refuse("the plugin's close is null");
  return own;
}

Result<vmcp_tools_0> check_tools(const vmcp_tools_0* tools) {
  if (tools == nullptr) return refuse("the plugin has no " VMCP_IFACE_TOOLS " table: it offers nothing");
  if (!VMCP_HAS(tools, run)) return refuse("the " VMCP_IFACE_TOOLS " table's size is too small");
  const vmcp_tools_0 own = copy_table(tools);
  if (own.count == nullptr || own.at == nullptr || own.run == nullptr)
    return refuse("the " VMCP_IFACE_TOOLS " table has a null function (count, at or run)");
  return own;
}

Result<vmcp_preview_0> check_preview(const vmcp_preview_0* preview) {
  if (preview == nullptr) return vmcp_preview_0{};
  if (!VMCP_HAS(preview, run) || preview->run == nullptr)
    return refuse("the " VMCP_IFACE_PREVIEW " table is there but has no run");
  vmcp_preview_0 own{};
  own.size = preview->size;
  own.run = preview->run;
  return own;
}

Result<vmcp_config_0> check_config(const vmcp_config_0* config) {
  if (config == nullptr) return vmcp_config_0{};
  if (!VMCP_HAS(config, schema) || config->schema == nullptr)
    return refuse("the " VMCP_IFACE_CONFIG " table is there but has no schema");
  vmcp_config_0 own{};
  own.size = config->size;
  own.schema = config->schema;
  return own;
}

Result<Declaration> check_tool(const vmcp_tool* tool) {
  if (tool == nullptr) return refuse("a tool's declaration is null");
  if (!VMCP_HAS(tool, input_schema))
    return refuse("a tool's declaration is too small; rebuild with this host's SDK");
  const vmcp_tool own = copy_table(tool);
  Declaration d;
  if (!bounded_text(own.name, 64, d.name) || d.name.empty())
    return refuse("a tool's name is missing or longer than 64 characters");
  for (const char c : d.name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
          c == '.' || c == '-'))
      return refuse("tool name '" + d.name + "' has a character outside [A-Za-z0-9_.-]");
  const std::string who = "tool '" + d.name + "': ";
  if (!bounded_text(own.title, 256, d.title)) return refuse(who + "title longer than 256 bytes");
  if (!bounded_text(own.description, kMaxText, d.description))
    return refuse(who + "description longer than " + std::to_string(kMaxText) + " bytes");
  if (d.description.empty()) return refuse(who + "the description is empty; models choose tools by it");
  if (!bounded_text(own.input_schema, kMaxSchema, d.input_schema))
    return refuse(who + "input schema too long");
  if (d.input_schema.empty()) return refuse(who + "the input schema is missing");
  if (!bounded_text(own.output_schema, kMaxSchema, d.output_schema))
    return refuse(who + "output schema too long");
  if (!bounded_text(own.privileges, kMaxText, d.privileges)) return refuse(who + "privileges too long");
  if (own.effect > VMCP_EFFECT_DESTROY) return refuse(who + "unknown effect " + std::to_string(own.effect));
  d.effect = own.effect;
  d.flags = own.flags;
  d.cost = own.cost == 0 ? 1 : own.cost;
  d.max_parallel = own.max_parallel;
  d.time_hint_ms = own.time_hint_ms;
  return d;
}

}  // namespace vmcp::plugin_host
