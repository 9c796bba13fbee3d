// "x-mcp-header": which arguments a modern client repeats as an Mcp-Param-* header, and whether the schema
// may ask for that. A client drops a tool that breaks these rules, so the host refuses to load it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcp::tools {

struct HeaderParam {
  enum class Type { string, integer, boolean };
  std::vector<std::string> path;  // property names from the root of the arguments
  std::string header;             // "mcp-param-region": lower-case, prefix included
  Type type = Type::string;
};

// Code::malformed names the place: an annotation that is not a header token, is used twice (whatever its
// case), stands on something else than one string, integer or boolean, is reached by another way than
// `properties`, or lets an integer leave ±(2^53−1) or a secret leave the body.
Result<std::vector<HeaderParam>> header_params_of(const Json& schema);

}  // namespace vmcp::tools
