// The arguments that every tool has because the host gives them: hostname, verbose and, for changing tools,
// confirm, dry_run, reason. Added to schemas at load, taken out before the plugin sees the arguments.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "tools/tool.h"

namespace vmcp::tools {

struct HostArguments {
  std::string hostname;  // empty: the first vCenter
  bool verbose = false;
  bool confirm = false;
  bool dry_run = false;
  std::string reason;
};

// The tool's input schema with the host's arguments added, member order kept. Error when the schema declares
// one of them, or `token`, itself.
Result<nlohmann::ordered_json> with_host_arguments(const nlohmann::ordered_json& schema, const Tool& tool);

// Moves the host's arguments out of `arguments` (which the input schema has accepted).
HostArguments take_host_arguments(Json& arguments, bool verbose_default);

}  // namespace vmcp::tools
