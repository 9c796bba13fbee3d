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

#include <vmcp/offer.hpp>

#include <cstdint>
#include <deque>
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
  // In the constructor only, as the tools: what clients may read by URI, pick as a beginning, and have
  // completed. URIs begin with the plugin's id and "://", or with one of the schemes(…) that it names.
  resource_builder& resource(std::string uri) { return resources_.emplace_back(std::move(uri)); }
  resource_builder& resource_template(std::string uri_template) {
    return templates_.emplace_back(std::move(uri_template));
  }
  prompt_builder& prompt(std::string name) { return prompts_.emplace_back(std::move(name)); }
  // status f(vmcp::call&, const vmcp::completing&): answers through c.values(); nothing to offer is no
  // failure.
  template <class F>
  void completion(F f) {
    completion_ = std::move(f);
  }
  // Comma-separated; vmcp/resources.h says which are taken.
  void schemes(std::string names) { schemes_ = std::move(names); }

  // In the constructor only: JSON Schema of what start() takes.
  void config_schema(std::string schema) { config_schema_ = std::move(schema); }
  // In the constructor only: the host interfaces that the plugin uses besides vmcp.call and vmcp.log, e.g.
  // uses({VMCP_IFACE_INVENTORY}). Without it: all, but none of a vCenter if there are only tools and every
  // one of them is no_upstream.
  void uses(std::initializer_list<const char*> interface_ids) {
    uses_.assign(interface_ids.begin(), interface_ids.end());
    uses_declared_ = true;
  }
  // In the constructor only: the vCenter operations that the plugin needs (vmcp/operations.h has the
  // patterns), e.g. operations({"GET /api/vcenter/vm/*", "VirtualMachine.PowerOnVM_Task"}). The host refuses
  // every other one. Without it: all that the effect of a tool allows.
  void operations(std::initializer_list<std::string_view> patterns) {
    operations_declared_ = true;
    for (const std::string_view pattern : patterns) {
      if (!operations_.empty()) operations_ += ',';
      operations_ += pattern;
    }
  }

  // One line for the operator; level: VMCP_LOG_…. From start() on, from any thread.
  void log(std::int32_t level, std::string_view message) const noexcept {
    if (services_.log.write != nullptr) services_.log.write(services_.host, level, to_abi(message));
  }
  // Tells the clients that subscribed to read a list, or a resource of this plugin, again. From start() on,
  // from any thread.
  void tools_changed() const noexcept { notify(services_.notify.tools_changed); }
  void prompts_changed() const noexcept { notify(services_.notify.prompts_changed); }
  void resources_changed() const noexcept { notify(services_.notify.resources_changed); }
  void resource_updated(std::string_view uri) const noexcept {
    if (services_.notify.resource_updated != nullptr)
      services_.notify.resource_updated(services_.host, to_abi(uri));
  }
  // Ends start(): `why` goes to the operator, the plugin is not loaded.
  status refuse(std::string_view why) const noexcept {
    log(VMCP_LOG_ERROR, why);
    return status::invalid;
  }

 private:
  template <class Plugin>
  friend struct plugin_entry;

  void notify(vmcp_status (*say)(const vmcp_host*)) const noexcept {
    if (say != nullptr) say(services_.host);
  }

  bool wants(const char* interface_id) const noexcept {
    for (const std::string& used : uses_) {
      if (used == interface_id) return true;
    }
    if (uses_declared_) return false;
    if (interface_id == std::string_view(VMCP_IFACE_NOTIFY)) return true;
    for (const tool_builder& declared : tools_) {
      if ((declared.flags_ & VMCP_TOOL_NO_UPSTREAM) == 0) return true;
    }
    return !resources_.empty() || !templates_.empty() || !prompts_.empty() || completion_;
  }

  std::deque<tool_builder> tools_;  // a deque: builders are handed out by reference
  std::deque<resource_builder> resources_, templates_;
  std::deque<prompt_builder> prompts_;
  detail::complete_function completion_;
  std::string config_schema_, schemes_, operations_;
  std::vector<std::string> uses_;
  bool uses_declared_ = false, operations_declared_ = false;
  detail::host_services services_;
};

}  // namespace vmcp

#include <vmcp/entry.hpp>

// The lowest ABI minor that the plugin can live with: older hosts refuse it. Unless its author says otherwise
// (vmcp_add_plugin(… ABI_MINOR n)) that of this SDK. Who says a lower one takes it on himself that what came
// later may be missing: an interface is then null, a function of a table answers VMCP_E_UNSUPPORTED.
#ifndef VMCP_NEEDS_ABI_MINOR
#define VMCP_NEEDS_ABI_MINOR VMCP_ABI_MINOR
#endif
static_assert(VMCP_NEEDS_ABI_MINOR <= VMCP_ABI_MINOR,
              "this SDK is older than the ABI minor that is asked for");

// Defines the library's one exported function. Once per library, outside of namespaces.
#define VMCP_PLUGIN(Class, Id, Version)                                                     \
  extern "C" __attribute__((visibility("default"))) const vmcp_entry* vmcp_entry_v1(void) { \
    static constexpr vmcp_entry kEntry{sizeof(vmcp_entry),                                  \
                                       VMCP_ABI_MAJOR,                                      \
                                       VMCP_NEEDS_ABI_MINOR,                                \
                                       Id,                                                  \
                                       Version,                                             \
                                       &::vmcp::plugin_entry<Class>::open};                 \
    return &kEntry;                                                                         \
  }
