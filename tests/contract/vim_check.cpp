#include "contract/vim_check.h"

#include <algorithm>
#include <limits>

#include "base/crypto.h"
#include "contract/schema_check.h"

namespace vmcp::contract {
namespace {

constexpr std::string_view kPrimitives[] = {"string", "boolean", "byte",   "short",  "int",
                                            "long",   "float",   "double", "binary", "dateTime"};

bool is_primitive(std::string_view type) {
  return std::find(std::begin(kPrimitives), std::end(kPrimitives), type) != std::end(kPrimitives);
}

// "ArrayOfString" → "string", "ArrayOfTaskInfo" → "TaskInfo", "ArrayOfManagedObjectReference" → "@".
std::string element_of(std::string_view array) {
  array.remove_prefix(std::string_view("ArrayOf").size());
  if (array == "ManagedObjectReference") return "@";
  if (array == "AnyType" || array == "AnyValue") return "anyType";
  std::string plain(array);
  if (!plain.empty() && plain[0] >= 'A' && plain[0] <= 'Z') plain[0] = static_cast<char>(plain[0] + 32);
  return is_primitive(plain) ? plain : std::string(array);
}

bool in_range(const Json& value, std::int64_t low, std::int64_t high) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return false;
  auto number = value.get<std::int64_t>();
  return number >= low && number <= high;
}

// xsd:dateTime in the form that vCenter writes: 2026-02-03T10:11:12[.fraction](Z|±hh:mm).
bool is_date_time(const std::string& text) {
  constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:dd";
  auto matches = [](char c, char p) { return p == 'd' ? (c >= '0' && c <= '9') : c == p; };
  if (text.size() < kPattern.size() + 1) return false;
  if (!std::equal(kPattern.begin(), kPattern.end(), text.begin(),
                  [&](char p, char c) { return matches(c, p); }))
    return false;
  auto rest = std::string_view(text).substr(kPattern.size());
  if (rest.front() == '.') {
    auto end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return false;
    rest.remove_prefix(end);
  }
  if (rest == "Z") return true;
  constexpr std::string_view kZone = "xdd:dd";
  return rest.size() == kZone.size() && (rest[0] == '+' || rest[0] == '-') && matches(rest[1], 'd') &&
         matches(rest[2], 'd') && rest[3] == ':' && matches(rest[4], 'd') && matches(rest[5], 'd');
}

bool fits(std::string_view type, const Json& value) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "byte") return in_range(value, -128, 127);
  if (type == "short") return in_range(value, -32768, 32767);
  if (type == "int")
    return in_range(value, std::numeric_limits<std::int32_t>::min(),
                    std::numeric_limits<std::int32_t>::max());
  if (type == "long")
    return in_range(value, std::numeric_limits<std::int64_t>::min(),
                    std::numeric_limits<std::int64_t>::max());
  if (type == "float" || type == "double") return value.is_number();
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  std::string bytes;
  return type == "dateTime" ? is_date_time(text) : base64_decode(text, bytes);
}

std::string type_name(const Json& value) {
  if (!value.is_object()) return "";
  auto found = value.find("_typeName");
  return found != value.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

bool VimCheck::is_a(const std::string& type, const std::string& ancestor) const {
  for (std::string at = type; !at.empty();) {
    if (at == ancestor) return true;
    auto found = data_.find(at);
    if (found == data_.end()) return false;
    at = (*found)[0].get<std::string>();
  }
  return false;
}

bool VimCheck::managed_is_a(std::string type, std::string_view ancestor) const {
  while (!type.empty()) {
    if (type == ancestor) return true;
    auto found = managed_.find(type);
    if (found == managed_.end()) return false;
    type = (*found)[0].get<std::string>();
  }
  return false;
}

const Json* VimCheck::member(const std::string& type, const std::string& name, int slot) const {
  for (std::string at = type; !at.empty();) {
    auto found = managed_.find(at);
    if (found == managed_.end()) return nullptr;
    const Json& members = (*found)[static_cast<std::size_t>(slot)];
    if (auto it = members.find(name); it != members.end()) return &*it;
    at = (*found)[0].get<std::string>();
  }
  return nullptr;
}

std::string VimCheck::property_type(const std::string& data, const std::string& name) const {
  for (std::string at = data; !at.empty();) {
    auto found = data_.find(at);
    if (found == data_.end()) return "";
    if (auto it = (*found)[1].find(name); it != (*found)[1].end()) return it->get<std::string>();
    at = (*found)[0].get<std::string>();
  }
  return "";
}

void VimCheck::check(std::string_view type, const Json& value, const std::string& where,
                     Report& report) const {
  if (type.ends_with('?')) type.remove_suffix(1);
  if (!type.ends_with("[]")) return check_one(type, value, where, report);
  type.remove_suffix(2);
  if (type == "byte" && value.is_string()) return check_primitive("binary", value, where, report);
  if (!value.is_array())
    return report.add("type", where, std::string(type) + "[]", brief(value),
                      where + " must be an array of " + std::string(type) + ", is " + brief(value));
  for (std::size_t i = 0; i < value.size(); ++i)
    check_one(type, value[i], where + "/" + std::to_string(i), report);
}

void VimCheck::check_one(std::string_view type, const Json& value, const std::string& where,
                         Report& report) const {
  if (type == "anyType") return check_any(value, where, report);
  if (type.starts_with('@')) return check_reference(type, value, where, report);
  if (is_primitive(type)) return check_primitive(type, value, where, report);
  std::string name(type);
  if (data_.contains(name)) return check_data(name, value, where, report);
  auto values = enums_.find(name);
  if (values == enums_.end())
    return report.add("vim-type", where, name, "", where + ": the facts know no type " + name);
  if (!value.is_string())
    report.add("type", where, name, brief(value),
               where + " must be a value of " + name + ", is " + brief(value));
  else if (std::find(values->begin(), values->end(), value) == values->end())
    report.add("enum", where, name, value.get<std::string>(),
               where + ": " + brief(value) + " is no value of " + name);
}

void VimCheck::check_primitive(std::string_view type, const Json& value, const std::string& where,
                               Report& report) const {
  if (fits(type, value)) return;
  report.add("type", where, std::string(type), brief(value),
             where + " must be of type " + std::string(type) + ", is " + brief(value));
}

void VimCheck::check_reference(std::string_view type, const Json& value, const std::string& where,
                               Report& report) const {
  std::string wanted(type.substr(1));
  if (type_name(value) != "ManagedObjectReference")
    return report.add(
        "vim-type", where, "ManagedObjectReference", brief(value),
        where + " must be an object with \"_typeName\":\"ManagedObjectReference\", is " + brief(value));
  for (const char* key : {"type", "value"}) {
    if (!value.contains(key) || !value[key].is_string())
      return report.add("required", where, "ManagedObjectReference", key,
                        where + " needs the string \"" + key + "\"");
  }
  for (const auto& [key, entry] : value.items()) {
    if (key != "_typeName" && key != "type" && key != "value" && key != "serverGuid")
      report.add("unknown-field", where, "ManagedObjectReference", key,
                 where + ": \"" + key + "\" is no field of a reference");
  }
  auto actual = value["type"].get<std::string>();
  if (!managed_.contains(actual) || (!wanted.empty() && !managed_is_a(actual, wanted)))
    report.add("vim-type", where, wanted, actual, where + " refers to a " + actual + ", not to a " + wanted);
}

void VimCheck::check_data(const std::string& type, const Json& value, const std::string& where,
                          Report& report) const {
  if (!value.is_object())
    return report.add("type", where, type, brief(value),
                      where + " must be an object of " + type + ", is " + brief(value));
  std::string actual = type_name(value);
  if (actual.empty())
    return report.add("vim-type", where, type, "", where + " needs \"_typeName\":\"" + type + "\"");
  if (!data_.contains(actual) || !is_a(actual, type))
    return report.add("vim-type", where, type, actual, where + " is a " + actual + ", which is no " + type);
  if (actual == "ObjectContent") check_object_content(value, where, report);
  check_fields(actual, value, where, report, false);
}

void VimCheck::check_fields(const std::string& type, const Json& value, const std::string& where,
                            Report& report, bool fault_body) const {
  for (const auto& [key, entry] : value.items()) {
    if (key == "_typeName" || (fault_body && key == "faultstring")) continue;
    std::string declared = property_type(type, key);
    if (declared.empty()) {
      report.add("unknown-field", where, type, key, where + ": \"" + key + "\" is no property of " + type);
    } else if (type == "DynamicProperty" && key == "val") {
      check_any(entry, where + "/val", report);
    } else {
      check(declared, entry, where + "/" + key, report);
    }
  }
  for (std::string at = type; !at.empty(); at = data_[at][0].get<std::string>()) {
    for (const auto& [key, declared] : data_[at][1].items()) {
      if (!declared.get_ref<const std::string&>().ends_with('?') && !value.contains(key) &&
          !declared.get_ref<const std::string&>().ends_with("[]"))  // an empty array may be left out
        report.add("required", where, type, key,
                   where + ": the property \"" + key + "\" of " + type + " is missing");
    }
  }
}

void VimCheck::check_any(const Json& value, const std::string& where, Report& report) const {
  std::string type = type_name(value);
  if (type.empty())
    return report.add("vim-boxing", where, "anyType", brief(value),
                      where + " needs a box, {\"_typeName\":…,\"_value\":…}, is " + brief(value));
  bool boxed = value.contains("_value");
  if (type == "ManagedObjectReference")
    return check_reference("@", boxed ? value["_value"] : value, where, report);
  if (data_.contains(type)) return check_data(type, value, where, report);
  bool array = type.starts_with("ArrayOf");
  if (!array && !is_primitive(type) && !enums_.contains(type))
    return report.add("vim-boxing", where, "anyType", type, where + ": the box has the unknown type " + type);
  if (!boxed || value.size() != 2)
    return report.add("vim-boxing", where, type, brief(value),
                      where + " must be a box of exactly _typeName and _value");
  check(array ? element_of(type) + "[]" : type, value["_value"], where + "/_value", report);
}

void VimCheck::check_object_content(const Json& content, const std::string& where, Report& report) const {
  auto obj = content.find("obj");
  auto set = content.find("propSet");
  if (obj == content.end() || set == content.end() || !obj->is_object() || !set->is_array()) return;
  std::string managed = obj->value("type", "");
  for (std::size_t i = 0; i < set->size(); ++i) {
    const Json& property = (*set)[i];
    if (!property.is_object() || !property.contains("name") || !property["name"].is_string() ||
        !property.contains("val"))
      continue;  // reported by the check of its fields
    std::string at = where + "/propSet/" + std::to_string(i);
    auto path = property["name"].get<std::string>();
    std::string declared = type_of_path(managed, path);
    if (declared.empty())
      report.add("vim-property", at, managed, path, at + ": " + managed + " has no property " + path);
    else
      check_boxed_as(declared, property["val"], at + "/val", report);
  }
}

// Empty when there is no such path; "anyType" where the facts cannot follow it (an element of an array).
std::string VimCheck::type_of_path(const std::string& managed, std::string_view path) const {
  auto end = path.find('.');
  const Json* first = property(managed, std::string(path.substr(0, end)));
  if (!first) return "";
  std::string type = first->get<std::string>();
  while (end != std::string_view::npos) {
    path.remove_prefix(end + 1);
    if (type.ends_with('?')) type.pop_back();
    if (!data_.contains(type)) return "";
    end = path.find('.');
    if (path.substr(0, end).find('[') != std::string_view::npos) return "anyType";
    type = property_type(type, std::string(path.substr(0, end)));
    if (type.empty()) return "";
  }
  return type;
}

void VimCheck::check_boxed_as(const std::string& declared, const Json& value, const std::string& where,
                              Report& report) const {
  std::string wanted = declared.ends_with('?') ? declared.substr(0, declared.size() - 1) : declared;
  std::string actual = type_name(value);
  if (actual.empty() || wanted == "anyType") return;  // the box itself is checked elsewhere
  bool array = wanted.ends_with("[]");
  if (array) wanted.resize(wanted.size() - 2);
  std::string got = actual.starts_with("ArrayOf") ? element_of(actual) : actual;
  bool same = array == actual.starts_with("ArrayOf");
  if (wanted.starts_with('@'))
    same = same && (got == "ManagedObjectReference" || got == "@");
  else
    same = same && (got == wanted || is_a(got, wanted));
  if (!same)
    return report.add("vim-property", where, declared, actual,
                      where + " is a " + actual + " but " + declared + " is declared");
  if (wanted.starts_with('@') && wanted.size() > 1 && !array)
    check_reference(wanted, value.value("_value", value), where, report);
}

void VimCheck::check_fault(const Json& fault, const std::string& where, Report& report) const {
  std::string type = type_name(fault);
  if (type.empty() || !is_a(type, "MethodFault"))
    return report.add("vim-fault", where, "MethodFault", type,
                      where + " must be a fault with its type in \"_typeName\", is " + brief(fault));
  if (!fault.contains("faultstring") || !fault["faultstring"].is_string())
    report.add("vim-fault", where, type, "faultstring", where + " needs the string \"faultstring\"");
  check_fields(type, fault, where, report, true);
}

void VimCheck::check_parameters(const Json& declared, const Json& given, const std::string& where,
                                Report& report) const {
  for (const auto& [key, value] : given.items()) {
    if (auto found = declared.find(key); found != declared.end())
      check(found->get_ref<const std::string&>(), value, where + "/" + key, report);
    else
      report.add("unknown-field", where, "parameters", key,
                 where + ": the method has no parameter \"" + key + "\"");
  }
  for (const auto& [key, type] : declared.items()) {
    if (!type.get_ref<const std::string&>().ends_with('?') && !given.contains(key))
      report.add("required", where, "parameters", key, where + ": the parameter \"" + key + "\" is missing");
  }
}

}  // namespace vmcp::contract
