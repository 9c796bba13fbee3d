// vmcp/plugin.hpp: a plugin in C++17. Header-only; needs nothing but the standard library.
//
//   struct Hello : vmcp::plugin {
//     Hello() {
//       tool("hello").title("Say hello").describe("Greets a person by name.").no_upstream()
//           .input(R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]})")
//           .run([](vmcp::call& c, const vmcp::args& a) {             // vmcp::args: <vmcp/json.hpp>
//             return c.text("Hello " + a.text("name") + "!");
//           });
//     }
//   };
//   VMCP_PLUGIN(Hello, "org.example.hello", "1.0.0")
//
// No exception leaves the plugin: whatever escapes a constructor, a destructor, a hook or a tool becomes
// VMCP_E_FAULT with a message.
#pragma once

#include <vmcp/tool.hpp>

#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcp {

class plugin {
 public:
  plugin() = default;
  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;
  // May throw, so that a destructor that does is caught by close() instead of ending the host.
  virtual ~plugin() noexcept(false) = default;

  // Takes the plugin's configuration, a JSON object. Any failure refuses the load; say why with refuse().
  virtual status start(std::string_view /*config_json*/) { return status::ok; }
  // No call runs any more: join own threads, drop caches.
  virtual void quiesce() {}

 protected:
  // In the constructor only. The order of declaration is the order of listing.
  tool_builder& tool(std::string name) { return tools_.emplace_back(std::move(name)); }
  // In the constructor only: JSON Schema of what start() takes.
  void config_schema(std::string schema) { config_schema_ = std::move(schema); }
  // In the constructor only: the host interfaces that the plugin uses besides vmcp.call and vmcp.log, e.g.
  // uses({VMCP_IFACE_INVENTORY}). Without it: all, unless every tool is no_upstream.
  void uses(std::initializer_list<const char*> interface_ids) {
    uses_.assign(interface_ids.begin(), interface_ids.end());
    uses_declared_ = true;
  }

  // One line for the operator; level: VMCP_LOG_…. From start() on, from any thread.
  void log(std::int32_t level, std::string_view message) const noexcept {
    if (services_.log.write != nullptr) services_.log.write(services_.host, level, to_abi(message));
  }
  // Ends start(): `why` goes to the operator, the plugin is not loaded.
  status refuse(std::string_view why) const noexcept {
    log(VMCP_LOG_ERROR, why);
    return status::invalid;
  }

 private:
  template <class Plugin>
  friend struct plugin_entry;

  bool wants(const char* interface_id) const noexcept {
    if (!uses_declared_) {
      for (const tool_builder& declared : tools_) {
        if ((declared.flags_ & VMCP_TOOL_NO_UPSTREAM) == 0) return true;
      }
      return false;
    }
    for (const std::string& used : uses_) {
      if (used == interface_id) return true;
    }
    return false;
  }

  std::deque<tool_builder> tools_;  // a deque: builders are handed out by reference
  std::string config_schema_;
  std::vector<std::string> uses_;
  bool uses_declared_ = false;
  detail::host_services services_;
};

// The C side of a plugin class: everything that the host calls, each behind a barrier for exceptions.
template <class Plugin>
struct plugin_entry {
  static vmcp_status open(const vmcp_host* host, const vmcp_plugin** out) noexcept {
    if (host == nullptr || out == nullptr) return VMCP_E_INVALID;
    const auto host_table = detail::read_table<vmcp_host>(host);
    if (host_table.abi_major != VMCP_ABI_MAJOR) return VMCP_E_UNSUPPORTED;
    return guarded([&](const char* what) { log_fault(host, "open", what); },
                   [&] {
                     auto* made = new plugin_entry;
                     made->connect(host);
                     *out = &made->table_;
                     return VMCP_OK;
                   });
  }

 private:
  plugin_entry() {
    for (const tool_builder& declared : base().tools_) declarations_.push_back(declared.describe_to_host());
    table_.size = sizeof table_;
    table_.self = this;
    table_.query = &query;
    table_.start = &start;
    table_.quiesce = &quiesce;
    table_.close = &close;
  }

  plugin& base() noexcept { return plugin_; }
  const plugin& base() const noexcept { return plugin_; }

  static plugin_entry& self(const vmcp_plugin* table) noexcept {
    return *static_cast<plugin_entry*>(table->self);
  }

  template <class Table>
  static Table ask(const vmcp_host* host, const char* interface_id) noexcept {
    const auto table = detail::read_table<vmcp_host>(host);
    return detail::read_table<Table>(table.query == nullptr ? nullptr : table.query(host, interface_id));
  }

  void connect(const vmcp_host* host) noexcept {
    detail::host_services& services = base().services_;
    services.host = host;
    services.call = ask<vmcp_call_0>(host, VMCP_IFACE_CALL);
    services.log = ask<vmcp_log_0>(host, VMCP_IFACE_LOG);
    if (base().wants(VMCP_IFACE_INVENTORY))
      services.inventory = ask<vmcp_inventory_0>(host, VMCP_IFACE_INVENTORY);
    if (base().wants(VMCP_IFACE_VCENTER)) services.vcenter = ask<vmcp_vcenter_0>(host, VMCP_IFACE_VCENTER);
    if (base().wants(VMCP_IFACE_VIM)) services.vim = ask<vmcp_vim_0>(host, VMCP_IFACE_VIM);
  }

  // Runs `body`; whatever escapes it is told to `report` as text and becomes VMCP_E_FAULT.
  template <class Report, class Body>
  static vmcp_status guarded(Report report, Body body) noexcept {
    try {
      return body();
    } catch (const std::exception& e) {
      report(e.what());
    } catch (...) {
      report("something that is not a std::exception was thrown");
    }
    return VMCP_E_FAULT;
  }

  static void log_fault(const vmcp_host* host, const char* hook, const char* what) noexcept {
    const auto log = ask<vmcp_log_0>(host, VMCP_IFACE_LOG);
    if (log.write == nullptr) return;
    try {
      log.write(host, VMCP_LOG_ERROR, to_abi(std::string(hook) + " failed: " + what));
    } catch (...) {
      log.write(host, VMCP_LOG_ERROR, to_abi(std::string_view("out of memory")));
    }
  }

  static const void* query(const vmcp_plugin* table, const char* interface_id) noexcept {
    static constexpr vmcp_tools_0 kTools{sizeof(vmcp_tools_0), 0, &count, &at, &run};
    static constexpr vmcp_preview_0 kPreview{sizeof(vmcp_preview_0), 0, &preview};
    static constexpr vmcp_config_0 kConfig{sizeof(vmcp_config_0), 0, &config_schema};
    if (table == nullptr || interface_id == nullptr) return nullptr;
    if (std::strcmp(interface_id, VMCP_IFACE_TOOLS) == 0) return &kTools;
    if (std::strcmp(interface_id, VMCP_IFACE_PREVIEW) == 0)
      return self(table).previews() ? &kPreview : nullptr;
    if (std::strcmp(interface_id, VMCP_IFACE_CONFIG) == 0)
      return self(table).base().config_schema_.empty() ? nullptr : &kConfig;
    return nullptr;
  }

  bool previews() const noexcept {
    for (const tool_builder& declared : base().tools_) {
      if (declared.preview_) return true;
    }
    return false;
  }

  static vmcp_status start(const vmcp_plugin* table, vmcp_str config) noexcept {
    plugin& p = self(table).base();
    return guarded([&](const char* what) { log_fault(p.services_.host, "start", what); },
                   [&] { return to_abi(p.start(config.len == 0 ? std::string_view("{}") : view(config))); });
  }

  static vmcp_status quiesce(const vmcp_plugin* table) noexcept {
    plugin& p = self(table).base();
    return guarded([&](const char* what) { log_fault(p.services_.host, "quiesce", what); },
                   [&] {
                     p.quiesce();
                     return VMCP_OK;
                   });
  }

  static void close(const vmcp_plugin* table) noexcept {
    const vmcp_host* host = self(table).base().services_.host;
    guarded([&](const char* what) { log_fault(host, "close", what); },
            [&] {
              delete &self(table);
              return VMCP_OK;
            });
  }

  static const char* config_schema(const vmcp_plugin* table) noexcept {
    return self(table).base().config_schema_.c_str();
  }

  static std::uint32_t count(const vmcp_plugin* table) noexcept {
    return static_cast<std::uint32_t>(self(table).declarations_.size());
  }

  static const vmcp_tool* at(const vmcp_plugin* table, std::uint32_t index) noexcept {
    const auto& all = self(table).declarations_;
    return index < all.size() ? &all[index] : nullptr;
  }

  static vmcp_status run(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle,
                         vmcp_str args) noexcept {
    return enter(table, index, handle, args, &tool_builder::run_);
  }

  static vmcp_status preview(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle,
                             vmcp_str args) noexcept {
    return enter(table, index, handle, args, &tool_builder::preview_);
  }

  static vmcp_status enter(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle, vmcp_str args,
                           detail::tool_function tool_builder::*which) noexcept {
    const plugin& p = self(table).base();
    if (index >= p.tools_.size()) return VMCP_E_NOT_FOUND;
    const tool_builder& declared = p.tools_[index];
    const detail::tool_function& function = declared.*which;
    if (!function) return VMCP_E_UNSUPPORTED;
    call c(handle, p.services_);
    return guarded([&](const char* what) { fail_fault(c, declared, what); },
                   [&] { return to_abi(function(c, view(args))); });
  }

  static void fail_fault(call& c, const tool_builder& declared, const char* what) noexcept {
    try {
      c.fail(status::fault, "The tool " + declared.name_ + " has a defect (" + what +
                                "). Tell the operator; repeating the call will not help.");
    } catch (...) {
      c.fail(status::fault, "The tool ran out of memory.");
    }
  }

  Plugin plugin_;
  std::vector<vmcp_tool> declarations_;  // points into plugin_.tools_
  vmcp_plugin table_{};
};

}  // namespace vmcp

// Defines the library's one exported function. Once per library, outside of namespaces.
#define VMCP_PLUGIN(Class, Id, Version)                                                     \
  extern "C" __attribute__((visibility("default"))) const vmcp_entry* vmcp_entry_v1(void) { \
    static constexpr vmcp_entry kEntry{sizeof(vmcp_entry),                                  \
                                       VMCP_ABI_MAJOR,                                      \
                                       VMCP_ABI_MINOR,                                      \
                                       Id,                                                  \
                                       Version,                                             \
                                       &::vmcp::plugin_entry<Class>::open};                 \
    return &kEntry;                                                                         \
  }
