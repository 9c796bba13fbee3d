#include "pipeline/steps.h"

namespace vmcp::pipeline {

Result<void> throttle_call(Services& services, Walk& walk) {
  const tools::ToolPtr tool = services.registry.find(walk.call.name);
  const Principal& caller = *walk.context->principal;
  return services.limiter.take(caller.identity, caller.role, walk.call.name, tool ? tool->cost : 1.0);
}

Result<void> authorise_tool(Services& services, Walk& walk) {
  tools::ToolPtr tool = services.registry.find(walk.call.name);
  if (!tool)
    return make_error(Code::unknown_tool, "Unknown tool: " + walk.call.name.substr(0, 128) +
                                              ". tools/list names the tools that you may call.");
  const auto verdict = services.policy.may_call(*walk.context->principal, {tool->name, tool->changes()});
  if (!verdict.allowed) {
    Error error = make_error(Code::denied, verdict.reason);
    error.rule = verdict.rule;
    return error;
  }
  if (tool->stuck.load(std::memory_order_relaxed) >= services.settings.max_stuck_per_tool) {
    Error error = make_error(Code::unavailable,
                             "Tool '" + tool->name + "' is closed: " + std::to_string(tool->stuck.load()) +
                                 " of its calls never came back (plugin " + tool->plugin_label +
                                 "). An operator must restart the server or switch the tool off.");
    error.rule = "tool closed";
    return error;
  }
  walk.tool = std::move(tool);
  return {};
}

}  // namespace vmcp::pipeline
