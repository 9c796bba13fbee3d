// Reading objects as vmcp.inventory gives them (see vmcp/inventory.h).
#pragma once

#include <string>
#include "common/json.h"

namespace vmcp::plugins {

// A property by its vim25 path; null when it is unset or could not be read.
inline json property(const json& object, const char* path) {
  const auto properties = object.find("properties");
  if (properties == object.end() || !properties->is_object()) return nullptr;
  return properties->value(path, json());
}

inline std::string text_property(const json& object, const char* path) {
  const json value = property(object, path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

// Puts a property under `key` unless it is unset: absent means "not known", never zero.
inline void copy_property(json& to, const char* key, const json& object, const char* path) {
  json value = property(object, path);
  if (!value.is_null()) to[key] = std::move(value);
}

// Tells what could not be read, and why, so that a missing value is not taken for "none".
inline void copy_unavailable(json& to, const json& object) {
  const auto missing = object.find("unavailable");
  if (missing != object.end() && !missing->empty()) to["unavailable"] = *missing;
}

// vim25 enumerations in the spelling of the Automation API: "poweredOn" → "POWERED_ON", "vsan" → "VSAN".
inline std::string automation_enum(const std::string& vim25) {
  std::string out;
  bool after_lower = false;
  for (const char c : vim25) {
    const bool lower = c >= 'a' && c <= 'z';
    if (after_lower && c >= 'A' && c <= 'Z') out += '_';
    out += lower ? static_cast<char>(c - 'a' + 'A') : c;
    after_lower = lower;
  }
  return out;
}

}  // namespace vmcp::plugins
