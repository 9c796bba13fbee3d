#include "contract/schema_check.h"

#include <algorithm>

namespace vmcp::contract {
namespace {

std::string name_of(const Json& schema) {
  if (!schema.is_string()) return "";
  const auto& text = schema.get_ref<const std::string&>();
  return text.starts_with('#') ? text.substr(1) : "";
}

bool is_plain(const std::string& plain, const Json& value) {
  if (plain == "s") return value.is_string();
  if (plain == "i") return value.is_number_integer();
  if (plain == "n") return value.is_number();
  if (plain == "b") return value.is_boolean();
  return plain == "o";
}

const char* plain_name(const std::string& plain) {
  if (plain == "s") return "a string";
  if (plain == "i") return "an integer";
  if (plain == "n") return "a number";
  if (plain == "b") return "a boolean";
  return "a known type";
}

bool has(const Json& list, const Json& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::string brief(const Json& value) {
  std::string text = dump_json(value);
  if (text.size() > 60)
    return std::string(value.type_name()) + " of " + std::to_string(text.size()) + " bytes";
  return text;
}

const Json& SchemaCheck::resolve(const Json& schema) const {
  const Json* at = &schema;
  while (at->is_string()) {
    auto name = name_of(*at);
    if (name.empty()) break;
    at = &schemas_.at(name);
  }
  return *at;
}

void SchemaCheck::check(const Json& written, const Json& value, const std::string& where,
                        Report& report) const {
  const Json& schema = resolve(written);
  std::string name = name_of(written);
  if (schema.is_string()) {
    const auto& plain = schema.get_ref<const std::string&>();
    if (!is_plain(plain, value))
      report.add("type", where, name, brief(value),
                 where + " must be " + plain_name(plain) + ", is " + brief(value));
    return;
  }
  if (schema.contains("e")) {
    if (!value.is_string())
      report.add("type", where, name, brief(value),
                 where + " must be a value of " + name + ", is " + brief(value));
    else if (!has(schema["e"], value))
      report.add("enum", where, name, value.get<std::string>(),
                 where + ": " + brief(value) + " is no value of " + name);
    return;
  }
  if (schema.contains("a")) {
    if (!value.is_array())
      return report.add("type", where, name, brief(value), where + " must be an array, is " + brief(value));
    for (std::size_t i = 0; i < value.size(); ++i)
      check(schema["a"], value[i], where + "/" + std::to_string(i), report);
    return;
  }
  if (!value.is_object())
    return report.add("type", where, name, brief(value), where + " must be an object, is " + brief(value));
  if (schema.contains("m")) {
    for (const auto& [key, entry] : value.items()) check(schema["m"], entry, where + "/" + key, report);
    return;
  }
  check_object(schema, name, value, where, report);
}

void SchemaCheck::check_object(const Json& schema, const std::string& name, const Json& value,
                               const std::string& where, Report& report) const {
  for (const auto& [key, entry] : value.items()) {
    auto property = schema["p"].find(key);
    if (property == schema["p"].end())
      report.add("unknown-field", where, name, key, where + ": \"" + key + "\" is no field of " + name);
    else
      check(*property, entry, where + "/" + key, report);
  }
  if (!schema.contains("r")) return;
  for (const Json& required : schema["r"]) {
    const auto& key = required.get_ref<const std::string&>();
    if (!value.contains(key))
      report.add("required", where, name, key,
                 where + ": the field \"" + key + "\" of " + name + " is missing");
  }
}

void SchemaCheck::check_text(const Json& written, std::string_view text, const std::string& where,
                             Report& report) const {
  const Json& schema = resolve(written);
  std::string name = name_of(written);
  if (schema.is_object() && schema.contains("a")) return check_text(schema["a"], text, where, report);
  if (schema.is_object() && schema.contains("e")) {
    if (!has(schema["e"], Json(std::string(text))))
      report.add("enum", where, name, std::string(text),
                 where + ": \"" + std::string(text) + "\" is no allowed value");
    return;
  }
  bool digits =
      !text.empty() && text.find_first_not_of("0123456789", text.front() == '-' ? 1 : 0) == text.npos;
  bool ok = schema != "i" || digits;
  if (schema == "b") ok = text == "true" || text == "false";
  if (!ok)
    report.add("type", where, name, std::string(text),
               where + " has the wrong type: \"" + std::string(text) + "\"");
}

}  // namespace vmcp::contract
