// What a client declared, in the host's words; and how a running call reaches it.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "mcp/era.h"
#include "mcp/outlet.h"
#include "pipeline/pipeline.h"

namespace vmcp::mcp {

inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";
inline constexpr std::string_view kMetaLogLevel = "io.modelcontextprotocol/logLevel";

// MCP's capabilities object of a client → names as in plugin_host/invocation.h.
std::set<std::string, std::less<>> client_can(const Json& capabilities, Version version);
// The same names back as MCP's object, for -32021's data.requiredCapabilities. `names`: comma-separated.
std::string required_capabilities(std::string_view names);

// Progress and log lines of one call into `outlet`. `meta` may be null. `log_level` negative: no log lines.
void connect(pipeline::ClientSide& side, const Json* meta, int log_level, const OutletPtr& outlet);

}  // namespace vmcp::mcp
