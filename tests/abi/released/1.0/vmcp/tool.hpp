// vmcp/tool.hpp: the fluent declaration of one tool.
#pragma once

#include <vmcp/call.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace vmcp {

// How a tool's function gets its arguments: as JSON text here, as vmcp::json or vmcp::args with
// <vmcp/json.hpp>, as a struct of your own with <vmcp/schema.hpp>. Specialise it to receive another type;
// with a static std::string schema() it also brings the tool's input schema.
template <class Args, class = void>
struct arguments;
template <>
struct arguments<std::string_view> {
  static std::string_view from(std::string_view json_text) noexcept { return json_text; }
};

namespace detail {

using tool_function = std::function<status(call&, std::string_view)>;

// The type of the second parameter of a tool's function, without const and reference.
template <class F>
struct second_parameter : second_parameter<decltype(&F::operator())> {};
template <class A>
struct second_parameter<status (*)(call&, A)> {
  using type = std::decay_t<A>;
};
template <class C, class A>
struct second_parameter<status (C::*)(call&, A) const> {
  using type = std::decay_t<A>;
};
template <class C, class A>
struct second_parameter<status (C::*)(call&, A)> {
  using type = std::decay_t<A>;
};

template <class Args, class = void>
struct brings_schema : std::false_type {};
template <class Args>
struct brings_schema<Args, std::void_t<decltype(arguments<Args>::schema())>> : std::true_type {};

template <class F>
tool_function adapt(F f) {
  using Args = typename second_parameter<F>::type;
  return [f = std::move(f)](call& c, std::string_view text) { return f(c, arguments<Args>::from(text)); };
}

}  // namespace detail

// Everything is copied; the host reads and freezes the declaration when it loads the plugin.
// Functions given to run() and preview() are entered by many threads at once, up to max_parallel.
class tool_builder {
 public:
  explicit tool_builder(std::string name) : name_(std::move(name)) {}
  tool_builder(const tool_builder&) = delete;
  tool_builder& operator=(const tool_builder&) = delete;

  tool_builder& title(std::string text) { return set(title_, std::move(text)); }
  // What it does and when to use it: models choose by it.
  tool_builder& describe(std::string text) { return set(description_, std::move(text)); }

  // What it does to the world. A tool that says nothing only reads: its changing requests are refused.
  tool_builder& reads() { return effect(VMCP_EFFECT_READ); }
  tool_builder& changes() { return effect(VMCP_EFFECT_CHANGE); }    // can be changed back
  tool_builder& destroys() { return effect(VMCP_EFFECT_DESTROY); }  // loses data or service
  tool_builder& idempotent() { return flag(VMCP_TOOL_IDEMPOTENT); }
  tool_builder& open_world() { return flag(VMCP_TOOL_OPEN_WORLD); }
  // Asks nothing of a vCenter: runs inline, so it must be quick.
  tool_builder& no_upstream() { return flag(VMCP_TOOL_NO_UPSTREAM); }
  tool_builder& needs_confirm() { return flag(VMCP_TOOL_NEEDS_CONFIRM); }
  // For clients that know MCP tasks: the call may (or must) run as one. vmcp/tools.h has the rules.
  tool_builder& task_optional() { return flag(VMCP_TOOL_TASK_OPTIONAL); }
  tool_builder& task_required() { return flag(VMCP_TOOL_TASK_REQUIRED); }
  tool_builder& task_asks_first() { return flag(VMCP_TOOL_TASK_ASKS_FIRST); }
  // Refused for clients without it, before it runs: "sampling", "elicitation.form", … (vmcp/call.h).
  tool_builder& needs_client(std::string_view capability) {
    if (!client_needs_.empty()) client_needs_.push_back(',');
    client_needs_.append(capability);
    return *this;
  }
  // The ui:// resource of this plugin that shows the structured answer.
  tool_builder& view(std::string uri) { return set(view_, std::move(uri)); }

  tool_builder& cost(std::uint32_t tokens) { return set(cost_, tokens); }
  tool_builder& max_parallel(std::uint32_t calls) { return set(max_parallel_, calls); }
  tool_builder& time_hint_ms(std::uint32_t ms) { return set(time_hint_ms_, ms); }
  // JSON Schema texts; vmcp/tools.h has the rules.
  tool_builder& input(std::string schema) {
    input_given_ = true;
    return set(input_schema_, std::move(schema));
  }
  tool_builder& output(std::string schema) { return set(output_schema_, std::move(schema)); }
  // vSphere privileges, comma-separated.
  tool_builder& privileges(std::string names) { return set(privileges_, std::move(names)); }

  // The tool: status f(vmcp::call&, ARGS), ARGS being std::string_view (JSON text) or what <vmcp/json.hpp>
  // and <vmcp/schema.hpp> offer.
  template <class F>
  tool_builder& run(F f) {
    using Args = typename detail::second_parameter<F>::type;
    if constexpr (detail::brings_schema<Args>::value) {
      if (!input_given_) input_schema_ = arguments<Args>::schema();
    }
    return set(run_, detail::adapt(std::move(f)));
  }
  // What the tool would do, same signature; answers through c.json(). Changing requests are refused in it.
  template <class F>
  tool_builder& preview(F f) {
    return set(preview_, detail::adapt(std::move(f)));
  }

 private:
  friend class plugin;
  template <class Plugin>
  friend struct plugin_entry;

  template <class Member, class Value>
  tool_builder& set(Member& member, Value&& value) {
    member = std::forward<Value>(value);
    return *this;
  }
  tool_builder& effect(std::uint32_t value) { return set(effect_, value); }
  tool_builder& flag(std::uint32_t bit) { return set(flags_, flags_ | bit); }

  // Its texts stay where this object is; it must outlive the result.
  vmcp_tool describe_to_host() const noexcept {
    vmcp_tool out{};
    out.size = sizeof out;
    out.effect = effect_;
    out.flags = flags_;
    out.cost = cost_;
    out.max_parallel = max_parallel_;
    out.time_hint_ms = time_hint_ms_;
    out.name = name_.c_str();
    out.title = title_.c_str();
    out.description = description_.c_str();
    out.input_schema = input_schema_.c_str();
    out.output_schema = output_schema_.empty() ? nullptr : output_schema_.c_str();
    out.privileges = privileges_.c_str();
    out.client_needs = client_needs_.empty() ? nullptr : client_needs_.c_str();
    out.view = view_.empty() ? nullptr : view_.c_str();
    return out;
  }

  bool input_given_ = false;
  std::uint32_t effect_ = VMCP_EFFECT_READ, flags_ = 0, cost_ = 0, max_parallel_ = 0, time_hint_ms_ = 0;
  std::string name_, title_, description_, output_schema_, privileges_, client_needs_, view_;
  std::string input_schema_ = R"({"type":"object","properties":{},"additionalProperties":false})";
  detail::tool_function run_, preview_;
};

}  // namespace vmcp
