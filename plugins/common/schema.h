// Pieces of JSON Schema that several tools share, so that an argument means the same everywhere.
#pragma once

#include <string>
#include "common/json.h"

namespace vmcp::plugins {

// {"type":"object","properties":…,"required":…,"additionalProperties":false}
inline std::string input_schema(json properties, json required = json::array()) {
  json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema.dump();
}

inline json vm_argument() {
  return {{"type", "string"},
          {"minLength", 1},
          {"maxLength", 1024},
          {"x-vmcp-kind", "vm"},
          {"description", "The virtual machine: its id (vm-42), exact name or inventory path."}};
}

// A filter that takes several objects of a kind.
inline json object_filter(const char* kind, const char* description) {
  return {{"type", "array"},
          {"items",
           {{"type", "string"},
            {"minLength", 1},
            {"maxLength", 1024},
            {"x-vmcp-kind", kind},
            {"x-vmcp-use", "filter"}}},
          {"minItems", 1},
          {"maxItems", 100},
          {"description", description}};
}

inline json names_filter() {
  return {{"type", "array"},
          {"items", {{"type", "string"}, {"minLength", 1}, {"maxLength", 256}}},
          {"minItems", 1},
          {"maxItems", 100},
          {"description", "Only these names; * and ? are wildcards."}};
}

inline json limit_argument(int fallback, int most) {
  return {{"type", "integer"},
          {"minimum", 1},
          {"maximum", most},
          {"default", fallback},
          {"description", "At most so many items in one answer."}};
}

inline json cursor_argument() {
  return {{"type", "string"},
          {"minLength", 1},
          {"maxLength", 1024},
          {"description", "The `next` of an earlier answer, to go on after it."}};
}

// What is in every answer, plus the tool's own keys.
inline std::string output_schema(json properties, json required) {
  json all{{"ok", {{"type", "boolean"}}},
           {"meta",
            {{"type", "object"},
             {"properties", {{"host", {{"type", "string"}, {"description", "The vCenter."}}}}},
             {"required", {"host"}}}}};
  json names = json::array({"ok", "meta"});
  for (auto& [key, value] : properties.items()) all[key] = value;
  for (const json& name : required) names.push_back(name);
  return json{{"type", "object"}, {"properties", std::move(all)}, {"required", std::move(names)}}.dump();
}

// Of a list tool: the page's facts and the items under `key`.
inline std::string list_output_schema(const char* key, json item_properties, json item_required) {
  json item_schema{
      {"type", "object"}, {"properties", std::move(item_properties)}, {"required", std::move(item_required)}};
  item_schema["properties"]["unavailable"] = {{"type", "object"},
                                              {"description", "What could not be read, and why."}};
  json properties{
      {"count", {{"type", "integer"}, {"description", "Items in this answer."}}},
      {"returned", {{"type", "integer"}, {"description", "The same as count."}}},
      {"total", {{"type", "integer"}, {"description", "Items that match, on all pages."}}},
      {"truncated", {{"type", "boolean"}, {"description", "There is more: repeat with cursor = next."}}},
      {"next", {{"type", "string"}}}};
  properties[key] = {{"type", "array"}, {"items", std::move(item_schema)}};
  return output_schema(std::move(properties), {"count", "returned", "total", "truncated", key});
}

inline json string_schema(const char* description = nullptr) {
  json out{{"type", "string"}};
  if (description != nullptr) out["description"] = description;
  return out;
}
inline json integer_schema(const char* description = nullptr) {
  json out{{"type", "integer"}};
  if (description != nullptr) out["description"] = description;
  return out;
}
inline json number_schema(const char* description = nullptr) {
  json out{{"type", "number"}};
  if (description != nullptr) out["description"] = description;
  return out;
}
inline json boolean_schema(const char* description = nullptr) {
  json out{{"type", "boolean"}};
  if (description != nullptr) out["description"] = description;
  return out;
}
inline json object_schema() {
  return {{"type", "object"}};
}

// Of a changing tool: {"result":{"state",…}}, or on a dry run what the host makes of the preview,
// {"dry_run":true, "preview":{…}}.
inline std::string result_output_schema(json result_properties) {
  json properties{
      {"state",
       {{"type", "string"},
        {"enum", {"completed", "running"}},
        {"description", "running: not finished when the time of the call ran out; vCenter goes on."}}},
      {"changed", boolean_schema("false: it was already as asked.")},
      {"message", string_schema()},
      {"vm", object_schema()},
      {"task", string_schema("The vCenter task, while it is running.")}};
  for (auto& [key, value] : result_properties.items()) properties[key] = value;
  return output_schema(
      {{"result",
        {{"type", "object"},
         {"properties", std::move(properties)},
         {"required", {"state", "message", "vm"}}}},
       {"dry_run", boolean_schema("true: nothing was changed, `preview` tells what would be.")},
       {"preview", object_schema()}},
      json::array());
}

}  // namespace vmcp::plugins
