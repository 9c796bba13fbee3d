// vmcp/entry.hpp: the C side of a plugin class; <vmcp/plugin.hpp> includes it.
#pragma once

#include <vmcp/plugin.hpp>

#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace vmcp {

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
    for (const tool_builder& declared : base().tools_) tools_.push_back(declared.describe_to_host());
    for (const resource_builder& declared : base().resources_) {
      vmcp_resource& out = resources_.emplace_back();
      declared.describe_to_host(out);
      out.uri = declared.uri_.c_str();
    }
    for (const resource_builder& declared : base().templates_) {
      vmcp_resource_template& out = templates_.emplace_back();
      declared.describe_to_host(out);
      out.uri_template = declared.uri_.c_str();
    }
    for (prompt_builder& declared : base().prompts_) prompts_.push_back(declared.describe_to_host());
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
    services.call = ask<vmcp_call_1>(host, VMCP_IFACE_CALL);
    services.log = ask<vmcp_log_1>(host, VMCP_IFACE_LOG);
    if (base().wants(VMCP_IFACE_INVENTORY))
      services.inventory = ask<vmcp_inventory_1>(host, VMCP_IFACE_INVENTORY);
    if (base().wants(VMCP_IFACE_VCENTER)) services.vcenter = ask<vmcp_vcenter_1>(host, VMCP_IFACE_VCENTER);
    if (base().wants(VMCP_IFACE_NOTIFY)) services.notify = ask<vmcp_notify_1>(host, VMCP_IFACE_NOTIFY);
    if (base().wants(VMCP_IFACE_VIM)) services.vim = ask<vmcp_vim_1>(host, VMCP_IFACE_VIM);
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
    const auto log = ask<vmcp_log_1>(host, VMCP_IFACE_LOG);
    if (log.write == nullptr) return;
    try {
      log.write(host, VMCP_LOG_ERROR, to_abi(std::string(hook) + " failed: " + what));
    } catch (...) {
      log.write(host, VMCP_LOG_ERROR, to_abi(std::string_view("out of memory")));
    }
  }

  static const void* query(const vmcp_plugin* table, const char* interface_id) noexcept {
    static constexpr vmcp_tools_1 kTools{sizeof(vmcp_tools_1), 0, &count<&plugin_entry::tools_>,
                                         &at<&plugin_entry::tools_>, &run};
    static constexpr vmcp_preview_1 kPreview{sizeof(vmcp_preview_1), 0, &preview};
    static constexpr vmcp_config_1 kConfig{sizeof(vmcp_config_1), 0, &config_schema};
    static constexpr vmcp_operations_1 kOperations{sizeof(vmcp_operations_1), 0, &operations};
    static constexpr vmcp_resources_1 kResources{sizeof(vmcp_resources_1),
                                                 0,
                                                 &count<&plugin_entry::resources_>,
                                                 &at<&plugin_entry::resources_>,
                                                 &count<&plugin_entry::templates_>,
                                                 &at<&plugin_entry::templates_>,
                                                 &schemes,
                                                 &read};
    static constexpr vmcp_prompts_1 kPrompts{sizeof(vmcp_prompts_1), 0, &count<&plugin_entry::prompts_>,
                                             &at<&plugin_entry::prompts_>, &get};
    static constexpr vmcp_completion_1 kCompletion{sizeof(vmcp_completion_1), 0, &complete};
    if (table == nullptr || interface_id == nullptr) return nullptr;
    const plugin& p = self(table).base();
    const auto is = [&](const char* known) { return std::strcmp(interface_id, known) == 0; };
    if (is(VMCP_IFACE_TOOLS)) return &kTools;
    if (is(VMCP_IFACE_PREVIEW)) return self(table).previews() ? &kPreview : nullptr;
    if (is(VMCP_IFACE_CONFIG)) return p.config_schema_.empty() ? nullptr : &kConfig;
    if (is(VMCP_IFACE_OPERATIONS)) return p.operations_declared_ ? &kOperations : nullptr;
    if (is(VMCP_IFACE_RESOURCES)) return p.resources_.empty() && p.templates_.empty() ? nullptr : &kResources;
    if (is(VMCP_IFACE_PROMPTS)) return p.prompts_.empty() ? nullptr : &kPrompts;
    if (is(VMCP_IFACE_COMPLETION)) return p.completion_ ? &kCompletion : nullptr;
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

  static const char* operations(const vmcp_plugin* table) noexcept {
    return self(table).base().operations_.c_str();
  }

  static const char* schemes(const vmcp_plugin* table) noexcept {
    return self(table).base().schemes_.c_str();
  }

  template <auto Declarations>
  static std::uint32_t count(const vmcp_plugin* table) noexcept {
    return static_cast<std::uint32_t>((self(table).*Declarations).size());
  }

  template <auto Declarations>
  static auto at(const vmcp_plugin* table, std::uint32_t index) noexcept {
    const auto& all = self(table).*Declarations;
    return index < all.size() ? &all[index] : nullptr;
  }

  static vmcp_status run(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle,
                         vmcp_str args) noexcept {
    return enter_tool(table, index, handle, args, &tool_builder::run_);
  }

  static vmcp_status preview(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle,
                             vmcp_str args) noexcept {
    return enter_tool(table, index, handle, args, &tool_builder::preview_);
  }

  static vmcp_status enter_tool(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle,
                                vmcp_str args, detail::tool_function tool_builder::*which) noexcept {
    const plugin& p = self(table).base();
    if (index >= p.tools_.size()) return VMCP_E_NOT_FOUND;
    const tool_builder& declared = p.tools_[index];
    const detail::tool_function& function = declared.*which;
    if (!function) return VMCP_E_UNSUPPORTED;
    return enter(p, handle, "The tool", declared.name_, [&](call& c) { return function(c, view(args)); });
  }

  static vmcp_status read(const vmcp_plugin* table, vmcp_call* handle, vmcp_str asked) noexcept {
    const plugin& p = self(table).base();
    return enter(p, handle, "The resource", view(asked), [&](call& c) {
      uri where(view(asked));
      for (const resource_builder& declared : p.resources_)
        if (declared.uri_ == where.text())
          return declared.read_ ? declared.read_(c, where) : status::not_found;
      for (const resource_builder& declared : p.templates_)
        if (where.match(declared.uri_)) return declared.read_ ? declared.read_(c, where) : status::not_found;
      return status::not_found;
    });
  }

  static vmcp_status get(const vmcp_plugin* table, std::uint32_t index, vmcp_call* handle,
                         vmcp_str args) noexcept {
    const plugin& p = self(table).base();
    if (index >= p.prompts_.size()) return VMCP_E_NOT_FOUND;
    const prompt_builder& declared = p.prompts_[index];
    if (!declared.get_) return VMCP_E_UNSUPPORTED;
    return enter(p, handle, "The prompt", declared.name_,
                 [&](call& c) { return declared.get_(c, view(args)); });
  }

  static vmcp_status complete(const vmcp_plugin* table, vmcp_call* handle, vmcp_str ref, vmcp_str argument,
                              vmcp_str value, vmcp_str context) noexcept {
    const plugin& p = self(table).base();
    return enter(p, handle, "The completion of", view(argument), [&](call& c) {
      return p.completion_(c, completing{view(ref), view(argument), view(value), view(context)});
    });
  }

  // Runs one round; what escapes it becomes a failure that names `what` and `name`.
  template <class Body>
  static vmcp_status enter(const plugin& p, vmcp_call* handle, const char* what, std::string_view name,
                           Body body) noexcept {
    call c(handle, p.services_);
    const auto report = [&](const char* escaped) {
      try {
        c.fail(status::fault, std::string(what).append(" ").append(name).append(" has a defect (") + escaped +
                                  "). Tell the operator; repeating the call will not help.");
      } catch (...) {
        c.fail(status::fault, "The plugin ran out of memory.");
      }
    };
    return guarded(report, [&] { return to_abi(body(c)); });
  }

  Plugin plugin_;
  // These point into plugin_'s declarations.
  std::vector<vmcp_tool> tools_;
  std::vector<vmcp_resource> resources_;
  std::vector<vmcp_resource_template> templates_;
  std::vector<vmcp_prompt> prompts_;
  vmcp_plugin table_{};
};

}  // namespace vmcp
