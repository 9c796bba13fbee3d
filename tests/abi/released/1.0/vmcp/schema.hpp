// vmcp/schema.hpp: the arguments of a tool as a struct of its own, from which the JSON Schema follows.
// Optional.
//
//   struct OldSnapshots {
//     std::string vm_id;
//     std::int64_t days = 14;
//     std::optional<std::string> note;
//     static vmcp::fields<OldSnapshots> schema() {
//       return vmcp::fields<OldSnapshots>()
//           .required("vm_id", &OldSnapshots::vm_id, vmcp::about("Which VM.").kind("vm"))
//           .field("days", &OldSnapshots::days, vmcp::about("Older than this.").range(1, 365))
//           .field("note", &OldSnapshots::note, vmcp::about("For the record.").length(0, 200));
//     }
//   };
//   tool("list_old_snapshots").run([](vmcp::call& c, const OldSnapshots& a) { … });
//
// run() takes the input schema from the struct; an input(…) of the tool's own wins. JSON Schema 2020-12: what
// a rule does not offer, keyword() does; what a struct cannot say, tool.input(TEXT) does.
//
// A member may be std::string, bool, any integer or floating type, vmcp::json (anything), std::optional or
// std::vector of these, or another such struct (not itself). The host checks arguments before the tool sees
// them, so reading never has to: a value that the schema would have refused throws and becomes VMCP_E_FAULT.
#pragma once

#include <vmcp/json.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vmcp {

// What the schema says of one member beyond its type.
class rule {
 public:
  rule() = default;

  rule& describe(std::string_view text) { return keyword("description", text); }
  // Both ends included. Of an array: of each of its items.
  template <class Number>
  rule& range(Number least, Number most) {
    return keyword("minimum", least).keyword("maximum", most);
  }
  template <class Number>
  rule& at_least(Number least) {
    return keyword("minimum", least);
  }
  template <class Number>
  rule& at_most(Number most) {
    return keyword("maximum", most);
  }
  // Of a text, in code points; of an array: of each of its items.
  rule& length(std::size_t least, std::size_t most) {
    return keyword("minLength", least).keyword("maxLength", most);
  }
  // RE2 syntax, anywhere in the text unless it has ^ and $.
  rule& pattern(std::string_view expression) { return keyword("pattern", expression); }
  // Of an array.
  rule& items(std::size_t least, std::size_t most) {
    of_array_["minItems"] = least;
    of_array_["maxItems"] = most;
    return *this;
  }
  // The text names an object of vCenter: "vm", "host", … (vmcp/tools.h). The caller may write an id, a name
  // or a path; the tool receives the id.
  rule& kind(std::string_view of_object) { return keyword("x-vmcp-kind", of_object); }
  // The object is a part of another argument's: kind("snapshot").within("/vm_id").
  rule& within(std::string_view pointer) { return keyword("x-vmcp-within", pointer); }
  // The object narrows a list and is no target of the call.
  rule& filters() { return keyword("x-vmcp-use", "filter"); }
  template <class Value>
  rule& keyword(const char* name, const Value& value) {
    of_value_[name] = value;
    return *this;
  }

 private:
  template <class T>
  friend class fields;

  // Puts the keywords into the schema of a value, or of an array's items; the description stays outside.
  void apply(json& schema) const {
    const bool array = schema.value("type", "") == "array";
    if (!array && !of_array_.empty())
      throw std::logic_error("items() is said of a member that is no std::vector");
    // One after the other: a new key moves what is beside it.
    for (const auto& [name, value] : of_value_.items())
      (array && name != "description" ? schema["items"] : schema)[name] = value;
    schema.update(of_array_);
  }

  json of_value_ = json::object(), of_array_ = json::object();
};

inline rule about(std::string_view description) {
  rule out;
  out.describe(description);
  return out;
}

template <class T>
class fields;

namespace detail {

template <class T, class = void>
struct has_schema : std::false_type {};
template <class T>
struct has_schema<T, std::enable_if_t<std::is_same_v<decltype(T::schema()), fields<T>>>> : std::true_type {};

// Made once per type, at the first use: when the plugin declares its tools.
template <class T>
const fields<T>& fields_of() {
  static const fields<T> made = T::schema();
  return made;
}

// How one type is said in JSON Schema, read and written.
template <class T, class = void>
struct as_json {
  static_assert(
      has_schema<T>::value,
      "a member is text, a number, bool, vmcp::json, std::optional or std::vector of these, or a struct "
      "with static vmcp::fields<…> schema()");
  static json schema() { return fields_of<T>().schema(); }
  static void read(const json& from, T& to) { fields_of<T>().read(from, to); }
  static json write(const T& value) { return fields_of<T>().write(value); }
};

template <class T>
struct plain_json {
  static void read(const json& from, T& to) { from.get_to(to); }
  static json write(const T& value) { return value; }
};

template <>
struct as_json<std::string> : plain_json<std::string> {
  static json schema() { return {{"type", "string"}}; }
};
template <>
struct as_json<bool> : plain_json<bool> {
  static json schema() { return {{"type", "boolean"}}; }
};
template <>
struct as_json<json> {
  static json schema() { return json::object(); }
  static void read(const json& from, json& to) { to = from; }
  static json write(const json& value) { return value; }
};

template <class T>
struct as_json<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> : plain_json<T> {
  // A number that does not fit the member is refused by the schema instead of wrapping around.
  static json schema() {
    json out{{"type", "integer"}};
    if (sizeof(T) < sizeof(std::int64_t)) {
      out["minimum"] = static_cast<std::int64_t>(std::numeric_limits<T>::min());
      out["maximum"] = static_cast<std::int64_t>(std::numeric_limits<T>::max());
    } else if (std::is_unsigned_v<T>) {
      out["minimum"] = 0;
    }
    return out;
  }
};
template <class T>
struct as_json<T, std::enable_if_t<std::is_floating_point_v<T>>> : plain_json<T> {
  static json schema() { return {{"type", "number"}}; }
};

template <class T>
struct as_json<std::optional<T>> {
  static json schema() { return as_json<T>::schema(); }
  static void read(const json& from, std::optional<T>& to) { as_json<T>::read(from, to.emplace()); }
  static json write(const std::optional<T>& value) { return value ? as_json<T>::write(*value) : json(); }
};

template <class T>
struct as_json<std::vector<T>> {
  static json schema() { return {{"type", "array"}, {"items", as_json<T>::schema()}}; }
  static void read(const json& from, std::vector<T>& to) {
    to.clear();
    to.reserve(from.size());
    for (const json& item : from) {
      T value{};
      as_json<T>::read(item, value);
      to.push_back(std::move(value));
    }
  }
  static json write(const std::vector<T>& value) {
    json out = json::array();
    for (const auto& item : value) out.push_back(as_json<T>::write(item));
    return out;
  }
};

}  // namespace detail

// One name of a choice() and the value that it stands for.
template <class Value>
struct choice_of {
  const char* name;
  Value value;
};

// The members of T in the order of their declaration. T is made without arguments; what its members hold then
// are the defaults. Immutable once T::schema() has returned it, so any number of threads may read with it.
template <class T>
class fields {
 public:
  // Must be given.
  template <class Member>
  fields& required(const char* name, Member T::*member, const rule& said = {}) {
    add(name, member, said, true);
    return *this;
  }
  // May be left out: then the member keeps what T{} has, which the schema names as the default (not for
  // std::optional, not for what is empty, and not for a struct: its members name theirs).
  template <class Member>
  fields& field(const char* name, Member T::*member, const rule& said = {}) {
    add(name, member, said, false);
    return *this;
  }
  // A text of a few, read into an enum: choice("order", &T::order, {{"age", Order::age}, {"size",
  // Order::size}}). May be left out; T{}'s value must be among them.
  template <class Enum>
  fields& choice(const char* name, Enum T::*member,
                 std::initializer_list<choice_of<std::common_type_t<Enum>>> choices, const rule& said = {}) {
    const std::vector<choice_of<Enum>> known(choices);
    json schema{{"type", "string"}, {"enum", json::array()}};
    for (const auto& one : known) schema["enum"].push_back(one.name);
    said.apply(schema);
    const Enum fallback = T{}.*member;
    const std::string default_name = name_of(known, fallback);
    if (default_name.empty())
      throw std::logic_error(std::string(name) + ": its default is none of its choices");
    schema["default"] = default_name;
    put(
        name, std::move(schema), false,
        [member, known](const json& from, T& to) {
          const auto& text = from.template get_ref<const std::string&>();
          for (const auto& one : known)
            if (text == one.name) return void(to.*member = one.value);
          throw std::invalid_argument("no choice is named so");
        },
        [member, known](const T& from) { return json(name_of(known, from.*member)); });
    return *this;
  }

  // {"type":"object",…}; other names than these are refused.
  json schema() const {
    json out{{"type", "object"}, {"properties", properties_}};
    if (!required_.empty()) out["required"] = required_;
    out["additionalProperties"] = false;
    return out;
  }
  void read(const json& from, T& to) const {
    for (const entry& one : entries_)
      if (const auto found = from.find(one.name); found != from.end()) one.read(*found, to);
  }
  // An empty std::optional is left out.
  json write(const T& from) const {
    json out = json::object();
    for (const entry& one : entries_)
      if (json value = one.write(from); !value.is_null()) out[one.name] = std::move(value);
    return out;
  }

 private:
  struct entry {
    std::string name;
    std::function<void(const json&, T&)> read;
    std::function<json(const T&)> write;
  };

  template <class Choices, class Enum>
  static std::string name_of(const Choices& known, Enum value) {
    for (const auto& one : known)
      if (one.value == value) return one.name;
    return {};
  }

  template <class Member>
  void add(const char* name, Member T::*member, const rule& said, bool must) {
    using value = detail::as_json<Member>;
    json schema = value::schema();
    said.apply(schema);
    const json fallback = must ? json() : value::write(T{}.*member);
    const bool says_nothing =
        fallback.is_null() || fallback.is_object() || fallback == json("") || fallback == json::array();
    if (!says_nothing) schema["default"] = fallback;
    put(
        name, std::move(schema), must, [member](const json& from, T& to) { value::read(from, to.*member); },
        [member](const T& from) { return value::write(from.*member); });
  }

  void put(const char* name, json schema, bool must, std::function<void(const json&, T&)> read,
           std::function<json(const T&)> write) {
    if (properties_.contains(name)) throw std::logic_error(std::string(name) + " is declared twice");
    properties_[name] = std::move(schema);
    if (must) required_.push_back(name);
    entries_.push_back({name, std::move(read), std::move(write)});
  }

  json properties_ = json::object(), required_ = json::array();
  std::vector<entry> entries_;
};

// The schema of T as text: tool.output(vmcp::schema_of<T>()).
template <class T>
std::string schema_of() {
  return detail::fields_of<T>().schema().dump();
}

// A T as c.json() takes it.
template <class T>
json to_json_value(const T& value) {
  return detail::as_json<T>::write(value);
}

template <class T>
struct arguments<T, std::enable_if_t<detail::has_schema<T>::value>> {
  static std::string schema() { return schema_of<T>(); }
  static T from(std::string_view text) {
    T out{};
    detail::fields_of<T>().read(json::parse(text), out);
    return out;
  }
};

}  // namespace vmcp
