// vmcp/offer.hpp: the fluent declarations of resources, prompts and completions.
#pragma once

#include <vmcp/tool.hpp>
#include <vmcp/uri.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace vmcp {

namespace detail {
using read_function = std::function<status(call&, const uri&)>;
}

// A resource or a template of resources. Everything is copied; functions are entered by many threads at once.
class resource_builder {
 public:
  explicit resource_builder(std::string uri) : uri_(std::move(uri)) {}
  resource_builder(const resource_builder&) = delete;
  resource_builder& operator=(const resource_builder&) = delete;

  // Without a name the URI is the name.
  resource_builder& name(std::string text) { return set(name_, std::move(text)); }
  resource_builder& title(std::string text) { return set(title_, std::move(text)); }
  resource_builder& describe(std::string text) { return set(description_, std::move(text)); }
  resource_builder& mime(std::string type) { return set(mime_type_, std::move(type)); }
  // JSON objects; vmcp/resources.h says what stands in them.
  resource_builder& annotations(std::string json) { return set(annotations_, std::move(json)); }
  resource_builder& meta(std::string json) { return set(meta_, std::move(json)); }

  // status f(vmcp::call&, const vmcp::uri&): answers through c.contents() or c.blob(). A template's variables
  // are in the uri.
  template <class F>
  resource_builder& read(F f) {
    return set(read_, detail::read_function(std::move(f)));
  }
  // Always the same contents.
  resource_builder& text(std::string text) {
    return read([type = mime_type_, text = std::move(text)](call& c, const uri& asked) {
      return c.contents(asked.text(), type, text);
    });
  }
  resource_builder& blob(std::string base64) {
    return read([type = mime_type_, base64 = std::move(base64)](call& c, const uri& asked) {
      return c.blob(asked.text(), type, base64);
    });
  }

 private:
  template <class Plugin>
  friend struct plugin_entry;

  template <class Member, class Value>
  resource_builder& set(Member& member, Value&& value) {
    member = std::forward<Value>(value);
    return *this;
  }

  // Its texts stay where this object is; it must outlive the result.
  template <class Described>
  void describe_to_host(Described& out) const noexcept {
    out.size = sizeof out;
    out.name = name_.empty() ? uri_.c_str() : name_.c_str();
    out.title = title_.c_str();
    out.description = description_.c_str();
    out.mime_type = mime_type_.c_str();
    out.annotations = annotations_.empty() ? nullptr : annotations_.c_str();
    out.meta = meta_.empty() ? nullptr : meta_.c_str();
  }

  std::string uri_, name_, title_, description_, mime_type_, annotations_, meta_;
  detail::read_function read_;
};

class prompt_builder {
 public:
  explicit prompt_builder(std::string name) : name_(std::move(name)) {}
  prompt_builder(const prompt_builder&) = delete;
  prompt_builder& operator=(const prompt_builder&) = delete;

  prompt_builder& title(std::string text) { return set(title_, std::move(text)); }
  prompt_builder& describe(std::string text) { return set(description_, std::move(text)); }
  prompt_builder& argument(std::string_view name, std::string_view description, bool required = false) {
    arguments_.append(arguments_.empty() ? "[" : ",");
    arguments_.append(R"({"name":)").append(quote(name));
    if (!description.empty()) arguments_.append(R"(,"description":)").append(quote(description));
    arguments_.append(required ? R"(,"required":true})" : "}");
    return *this;
  }
  // status f(vmcp::call&, ARGS), as a tool's; answers through c.user(), c.assistant() or c.message().
  template <class F>
  prompt_builder& get(F f) {
    return set(get_, detail::adapt(std::move(f)));
  }

 private:
  template <class Plugin>
  friend struct plugin_entry;

  template <class Member, class Value>
  prompt_builder& set(Member& member, Value&& value) {
    member = std::forward<Value>(value);
    return *this;
  }

  // Its texts stay where this object is; it must outlive the result, and is called once.
  vmcp_prompt describe_to_host() noexcept {
    if (!arguments_.empty() && arguments_.back() != ']') arguments_.push_back(']');
    vmcp_prompt out{};
    out.size = sizeof out;
    out.name = name_.c_str();
    out.title = title_.c_str();
    out.description = description_.c_str();
    out.arguments = arguments_.empty() ? nullptr : arguments_.c_str();
    return out;
  }

  std::string name_, title_, description_, arguments_;
  detail::tool_function get_;
};

// What is being typed. Borrowed for the call; <vmcp/json.hpp> reads the two JSON texts.
struct completing {
  std::string_view ref_json;  // {"type":"ref/prompt","name":…} or {"type":"ref/resource","uri":template}
  std::string_view argument, value;
  std::string_view context_json;  // the arguments given already
};

namespace detail {
using complete_function = std::function<status(call&, const completing&)>;
}

}  // namespace vmcp
