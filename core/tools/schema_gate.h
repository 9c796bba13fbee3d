// The gate before every schema engine: reads the text, knows every keyword, resolves every reference, and
// refuses what no engine behind it enforces or survives.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.h"
#include "base/result.h"

namespace vmcp::tools {

struct GatedSchema {
  Json root;  // subschemas are known by their address in here: never moved or changed
  std::unordered_map<const Json*, const Json*> target;  // a schema with $ref → the schema that it names
  bool flat = true;        // SchemaNode enforces every keyword of it; else valijson has the last word
  bool recursive = false;  // some schema contains itself (by way of properties or items only)

  GatedSchema() = default;
  GatedSchema(const GatedSchema&) = delete;
  GatedSchema& operator=(const GatedSchema&) = delete;
};

// Code::malformed: "<place>: <what is wrong and the fix>".
Result<std::unique_ptr<const GatedSchema>> gate_schema(std::string_view json_text);

// Calls `visit(child, in_place, place)` for each direct subschema except the target of $ref. `in_place`: it
// applies to the same value as its parent. `place` is the pointer from the parent, e.g. "/properties/a".
using ChildVisitor = std::function<void(const Json& child, bool in_place, const std::string& place)>;
void for_each_subschema(const Json& schema, const ChildVisitor& visit);

// ~0 and ~1 escapes of a JSON pointer token, appended to `out` behind a '/'.
void append_pointer_token(std::string& out, std::string_view token);

}  // namespace vmcp::tools
