// Every JSON Schema keyword that the host knows, and what its value must look like.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace vmcp::tools {

struct KeywordRule {
  std::string_view name;
  bool flat;  // SchemaNode enforces it (or it is an annotation)
  // Empty, or why it is refused, worded to follow the keyword's name. `schema` is the object that holds it.
  std::string (*verify)(const Json& schema, const Json& value);
};

// Null when the keyword is unknown.
const KeywordRule* find_keyword(std::string_view name);

// RE2's opinion about a pattern: empty when it can be used.
std::string verify_pattern(const std::string& pattern);

}  // namespace vmcp::tools
