// Answers as text: written straight into strings, no JSON tree is built.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "mcp/endpoint.h"
#include "mcp/era.h"
#include "mcp/error_map.h"
#include "pipeline/pipeline.h"
#include "tasks/task_store.h"

namespace vmcp::mcp {

// Our own member of a refused call's _meta: {code, rule?, retryAfterMs?, limit?, remaining?, resetMs?,
// requestId}.
inline constexpr std::string_view kMetaRefusal = "io.github.vsphere-mcp-pro/refusal";

// Immutable after construction. [any thread]
class Renderer {
 public:
  explicit Renderer(const Settings& settings);

  // `id` null: left out, because no schema of the protocol allows null.
  std::string error(const Json* id, const Fault& fault) const;
  std::string empty_result(const Json& id) const;  // legacy ping: exactly {}
  std::string initialize(const Json& id, Version version) const;
  std::string discover(const Json& id) const;
  std::string tool_list(const Json& id, Version version, const pipeline::ToolPage& page) const;
  std::string tool_result(const Json& id, Version version, const pipeline::ToolAnswer& answer,
                          std::string_view request_id) const;
  std::string page(const Json& id, Version version, pipeline::List what, const pipeline::Page& page) const;
  // Of resources/read, prompts/get or completion/complete.
  std::string feature_result(const Json& id, Version version, pipeline::Feature feature,
                             const pipeline::ToolAnswer& answer) const;
  // Tasks extension.
  std::string created_task(const Json& id, const tasks::Task& task) const;
  std::string task(const Json& id, const tasks::Task& task) const;
  std::string task_state(const tasks::Task& task) const;  // params of notifications/tasks
  std::string acknowledged(const Json& id) const;
  // The result of a call as a task keeps it, without id and envelope.
  std::string task_result(const pipeline::ToolAnswer& answer, std::string_view request_id) const;
  // Modern only: the call waits for answers.
  std::string input_required(const Json& id, const pipeline::ToolAnswer& answer) const;

 private:
  void end_page(std::string& out, Version version, const std::string& next_cursor) const;

  std::string server_info_;   // {"name":…,"version":…}
  std::string modern_meta_;   // "_meta":{"io.modelcontextprotocol/serverInfo":…   without the closing brace
  std::string instructions_;  // ,"instructions":…  or empty
  std::string cache_;         // ,"ttlMs":…,"cacheScope":"private"
};

}  // namespace vmcp::mcp
