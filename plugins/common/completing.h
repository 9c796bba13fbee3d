// What may stand in a prompt's argument while a person types it.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>
#include "common/json.h"

namespace vmcp::plugins {

inline bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The first of the fixed suggestions that begin with what is typed.
inline status complete_from(call& c, std::string_view typed, std::initializer_list<const char*> all) {
  std::vector<std::string> fitting;
  for (const char* one : all) {
    if (begins_with(one, typed)) fitting.emplace_back(one);
  }
  return c.values(fitting);
}

// The names of the objects of a kind that begin with what is typed, as the caller may see them. A name that
// several have is offered as their paths: that is what tells them apart, and the prompts take it as well.
inline status complete_names(call& c, const char* kind, std::string_view typed) {
  const reply found = c.inventory().list(json{{"kind", kind},
                                              {"where", {{"names", {std::string(typed) + "*"}}}},
                                              {"limit", VMCP_COMPLETION_MAX_VALUES}});
  if (!found) return c.fail(found);
  const json page = parse(found);
  const json objects = page.value("objects", json::array());
  std::map<std::string, int> times;
  for (const json& object : objects) ++times[object.value("name", "")];
  json values = json::array();
  for (const json& object : objects) {
    const std::string name = object.value("name", "");
    if (!begins_with(name, typed)) continue;  // what is typed may hold a wildcard
    values.push_back(times[name] > 1 ? object.value("path", name) : name);
  }
  const bool more = page.value("truncated", false);
  const std::size_t total = more ? page.value("total", values.size()) : values.size();
  return c.json(json{{"values", std::move(values)}, {"total", total}, {"hasMore", more}});
}

}  // namespace vmcp::plugins
