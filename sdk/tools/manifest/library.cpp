#include "library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vmcp/table.hpp>

namespace vmcp::manifest_tool {

namespace {

using EntryFunction = const vmcp_entry* (*)();

std::string absolute_path(const std::string& file) {
  // dlopen() would search the system's folders for a name without a slash.
  const std::unique_ptr<char, decltype(&std::free)> path(realpath(file.c_str(), nullptr), &std::free);
  if (!path) throw std::runtime_error("there is no such file");
  return path.get();
}

const vmcp_entry* load_entry(const std::string& file) {
  void* library = dlopen(absolute_path(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(std::string("it cannot be loaded: ") + dlerror());
  const auto entry = reinterpret_cast<EntryFunction>(dlsym(library, VMCP_ENTRY_SYMBOL));
  if (entry == nullptr)
    throw std::runtime_error("it exports no " VMCP_ENTRY_SYMBOL
                             ": is VMCP_PLUGIN(…) missing, or does the version script hide it?");
  return entry();
}

template <class Table>
Table plugin_table(const vmcp_plugin* plugin, const char* interface_id) {
  const auto table = detail::read_table<vmcp_plugin>(plugin);
  return detail::read_table<Table>(table.query == nullptr ? nullptr : table.query(plugin, interface_id));
}

}  // namespace

Library::Library(const std::string& file) {
  entry_ = detail::read_table<vmcp_entry>(load_entry(file));
  if (entry_.abi_major != VMCP_ABI_MAJOR)
    throw std::runtime_error("it was built for ABI major " + std::to_string(entry_.abi_major) +
                             ", this SDK has " + std::to_string(VMCP_ABI_MAJOR) + ": rebuild it");
  if (entry_.id == nullptr || entry_.version == nullptr || entry_.open == nullptr)
    throw std::runtime_error("its entry lacks id, version or open()");

  host_.size = sizeof host_;
  host_.abi_major = VMCP_ABI_MAJOR;
  host_.abi_minor = VMCP_ABI_MINOR;
  host_.ctx = this;
  host_.query = &Library::answer_query;
  const vmcp_status opened = entry_.open(&host_, &plugin_);
  if (opened != VMCP_OK || plugin_ == nullptr)
    throw std::runtime_error("open() answered " + std::to_string(opened) +
                             ": it must work without any host service, those come with start()");
}

Library::~Library() {
  const auto table = detail::read_table<vmcp_plugin>(plugin_);
  if (table.close != nullptr) table.close(plugin_);
}

vmcp_tools_1 Library::tools() const {
  return plugin_table<vmcp_tools_1>(plugin_, VMCP_IFACE_TOOLS);
}
vmcp_preview_1 Library::preview() const {
  return plugin_table<vmcp_preview_1>(plugin_, VMCP_IFACE_PREVIEW);
}
vmcp_config_1 Library::config() const {
  return plugin_table<vmcp_config_1>(plugin_, VMCP_IFACE_CONFIG);
}
vmcp_operations_1 Library::operations() const {
  return plugin_table<vmcp_operations_1>(plugin_, VMCP_IFACE_OPERATIONS);
}
vmcp_resources_1 Library::resources() const {
  return plugin_table<vmcp_resources_1>(plugin_, VMCP_IFACE_RESOURCES);
}
vmcp_prompts_1 Library::prompts() const {
  return plugin_table<vmcp_prompts_1>(plugin_, VMCP_IFACE_PROMPTS);
}
vmcp_completion_1 Library::completion() const {
  return plugin_table<vmcp_completion_1>(plugin_, VMCP_IFACE_COMPLETION);
}

// Offers nothing: what is asked for is all that matters here.
const void* Library::answer_query(const vmcp_host* host, const char* interface_id) {
  if (interface_id != nullptr) static_cast<Library*>(host->ctx)->interfaces_.insert(interface_id);
  return nullptr;
}

}  // namespace vmcp::manifest_tool
