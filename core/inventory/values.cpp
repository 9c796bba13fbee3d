#include "inventory/values.h"

namespace vmcp::inventory {
namespace {

bool is_reference(const Json& value) {
  auto type = value.find("_typeName");
  return type != value.end() && *type == "ManagedObjectReference";
}

const Json& content(const Json& value) {
  if (!value.is_object()) return value;
  auto inner = value.find("_value");
  return inner == value.end() ? value : *inner;
}

}  // namespace

void unbox(Json& value) {
  if (value.is_array()) {
    for (Json& element : value) unbox(element);
    return;
  }
  if (!value.is_object()) return;
  if (auto inner = value.find("_value"); inner != value.end() && value.contains("_typeName")) {
    Json taken = std::move(*inner);
    value = std::move(taken);
    return unbox(value);
  }
  if (is_reference(value)) {
    value.erase("_typeName");
    return;
  }
  for (auto& [key, member] : value.items()) unbox(member);
}

std::string reference_value(const Json& value) {
  const Json& inner = content(value);
  if (!inner.is_object()) return "";
  auto id = inner.find("value");
  return id != inner.end() && id->is_string() ? id->get<std::string>() : "";
}

std::string text_value(const Json& value) {
  const Json& inner = content(value);
  return inner.is_string() ? inner.get<std::string>() : "";
}

std::string power_word(const std::string& state) {
  if (state == "poweredOn") return "POWERED_ON";
  if (state == "poweredOff") return "POWERED_OFF";
  if (state == "suspended") return "SUSPENDED";
  if (state == "standBy") return "STANDBY";
  return state;
}

std::string missing_reason(const Json& missing) {
  // The fault is a LocalizedMethodFault; the real one is inside.
  const Json* fault = nullptr;
  if (auto outer = missing.find("fault"); outer != missing.end() && outer->is_object()) {
    auto inner = outer->find("fault");
    fault = inner != outer->end() && inner->is_object() ? &*inner : &*outer;
  }
  if (!fault) return "unknown reason";
  auto text = [&](const char* key) {
    auto found = fault->find(key);
    return found != fault->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  std::string type = text("_typeName"), privilege = text("privilegeId");
  if (type.empty()) return "unknown reason";
  return privilege.empty() ? type : type + " " + privilege;
}

}  // namespace vmcp::inventory
