// What a plugin may put into an answer, and what it may ask of a client. Pure functions on JSON text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin_host/invocation.h"

namespace vmcp::plugin_host {

// The block on one line, or why it is none: a content block of a tool, contents of a resource, a message of a
// prompt. A completion has no blocks.
Result<std::string> check_block(Produces produces, std::string_view json, std::size_t max_bytes);

struct InputRequest {
  std::string text;                // on one line
  std::vector<std::string> needs;  // names as in Invocation::client_can
};
// {"method":…,"params":{…}} with one of the three methods that MCP lets a server ask.
Result<InputRequest> check_input_request(std::string_view json);

// {"values":[at most 100 texts],"total":n,"hasMore":b}; an empty text counts as one with no values.
bool is_completion(std::string_view json);

}  // namespace vmcp::plugin_host
