#include "pipeline/inventory_resource.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

Error unknown(const Walk& walk) {
  const std::string name = walk.call.name.substr(0, 256);
  switch (walk.call.feature) {
    case Feature::resource:
      return make_error(
          Code::not_found,
          "Resource not found: " + name + ". resources/list and resources/templates/list say what there is.");
    case Feature::prompt:
      return make_error(Code::invalid_argument,
                        "Unknown prompt: " + name + ". prompts/list names the prompts that you may use.");
    case Feature::completion:
      return make_error(Code::invalid_argument, "Nothing to complete: " + name + " is not offered here.");
    case Feature::tool:
      break;
  }
  return make_error(Code::unknown_tool, "Unknown tool: " + name.substr(0, 128) +
                                            ". tools/list names the tools that you may call.");
}

}  // namespace

tools::ToolPtr find_subject(const tools::Catalog& catalog, Feature feature, std::string_view name) {
  switch (feature) {
    case Feature::tool:
      return catalog.registry.find(name);
    case Feature::resource:
      return catalog.features.reader_of(name);
    case Feature::prompt: {
      const tools::Prompt* prompt = catalog.features.find_prompt(name);
      return prompt == nullptr ? nullptr : prompt->getter;
    }
    case Feature::completion:
      break;
  }
  if (name.starts_with("prompt/")) return find_subject(catalog, Feature::prompt, name.substr(7));
  if (!name.starts_with("resource/")) return nullptr;
  for (const tools::Resource& offered : catalog.features.templates())
    if (offered.uri == name.substr(9)) return offered.reader;
  return nullptr;
}

namespace {

Result<void> passed(Walk& walk, Result<throttle::Shadow> verdict) {
  if (!verdict) return verdict.error();
  if (walk.shadow_limit.empty()) walk.shadow_limit = std::move(*verdict);
  return {};
}

}  // namespace

Result<void> throttle_call(Services& services, Walk& walk) {
  const Principal& caller = *walk.context->principal;
  if (walk.call.feature != Feature::tool)
    return passed(walk, services.limiter.take(caller.identity, caller.role, {}, 1.0));
  const tools::ToolPtr tool = walk.catalog->registry.find(walk.call.name);
  // The registry's name, not the caller's: whoever calls what does not exist fills no table.
  auto r = passed(walk, services.limiter.take(caller.identity, caller.role,
                                              tool ? std::string_view(tool->name) : std::string_view(),
                                              tool ? tool->cost : 1.0));
  // A later round is the same call, not one more.
  if (!r || !walk.call.request_state.empty()) return r;
  return passed(walk, services.limiter.take_identical(caller.identity, walk.call.name, walk.args_text));
}

Result<void> throttle_targets(Services& services, Walk& walk) {
  if (walk.connection == nullptr) return {};
  std::vector<std::string_view> ids;
  for (const plugin_host::Target& target : walk.targets)
    if (!target.filter) ids.push_back(target.object.id);
  const std::string_view tool =
      walk.call.feature == Feature::tool ? std::string_view(walk.tool->name) : std::string_view();
  return passed(walk, services.limiter.take_targets(walk.connection->name(), ids, tool, walk.tool->cost));
}

std::string policy_name(Feature feature, std::string_view name) {
  switch (feature) {
    case Feature::resource:
      return "resource/" + plain_uri(name);
    case Feature::prompt:
      return "prompt/" + std::string(name);
    case Feature::tool:
    case Feature::completion:  // as what it completes
      break;
  }
  return std::string(name);
}

Result<void> authorise_tool(Services& services, Walk& walk) {
  tools::ToolPtr tool = find_subject(*walk.catalog, walk.call.feature, walk.call.name);
  if (!tool) return unknown(walk);
  const auto verdict = walk.policy->may_call(
      *walk.context->principal, {policy_name(walk.call.feature, walk.call.name), tool->changes()},
      services.clock.wall());
  if (!verdict.allowed) {
    Error error = make_error(Code::denied, verdict.reason);
    error.rule = verdict.rule;
    error.scope = verdict.wider_role;
    return error;
  }
  if (auto r = walk.lock.check(); !r) return r;
  if (tool->stuck.load(std::memory_order_relaxed) >= services.settings.max_stuck_per_tool) {
    Error error =
        make_error(Code::unavailable, "'" + walk.call.name.substr(0, 128) +
                                          "' is closed: " + std::to_string(tool->stuck.load()) +
                                          " of its calls never came back (plugin " + tool->plugin_label +
                                          "). An operator must restart the server or switch the tool off.");
    error.rule = "tool closed";
    return error;
  }
  for (const std::string& need : tool->client_needs) {
    if (walk.call.client_side.can.contains(need)) continue;
    Error error = make_error(Code::client_lacks, "'" + tool->name + "' needs a client that supports " + need +
                                                     " and declares so.");
    error.rule = need;
    return error;
  }
  walk.tool = std::move(tool);
  return {};
}

}  // namespace vmcp::pipeline
