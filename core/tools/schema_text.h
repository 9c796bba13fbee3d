// The words of a violation: where, what was expected, what came.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "tools/schema_node_data.h"

namespace vmcp::tools {

// Where the check is, as a chain on the stack: written out only when something is wrong there.
struct Path {
  const Path* up;        // null at the root
  std::string_view key;  // a property's name; data()==nullptr: `index` counts
  std::size_t index;
  std::size_t depth;
};

// "/hosts/0/name"; the root is "/".
std::string pointer_of(const Path& path);
// "an integer from 1 to 16".
std::string describe(const SchemaNode& node);
// The value, cut to a few words; not repeated when it stands under a secret's name.
std::string describe_value(const Json& value, const Path& path);
// "unknown property; did you mean \"cpu_count\"? Known: …".
std::string describe_unknown(const SchemaNode& object, std::string_view name);
// "at most 3 items".
std::string describe_count(std::size_t min, std::size_t max, std::string_view one, std::string_view many);

}  // namespace vmcp::tools
