#include "pipeline/steps.h"

namespace vmcp::pipeline {

audit::Record record_of(const Walk& walk, std::vector<std::string>& targets) {
  audit::Record record;
  const Context& context = *walk.context;
  record.request_id = context.request_id;
  record.trace_id = context.trace_id;
  record.peer = context.peer;
  record.method = context.method;
  if (context.principal) {
    record.identity = context.principal->identity;
    record.role = context.principal->role;
  }
  record.tool = walk.call.name;
  record.args_json = walk.args_text;
  if (walk.tool) record.plugin_members = walk.tool->plugin_members;
  if (walk.connection != nullptr) record.host = walk.connection->name();
  for (const plugin_host::Target& target : walk.targets)
    if (!target.filter) targets.push_back(target.object.kind + ":" + target.object.id);
  for (const std::string& target : targets) record.targets.push_back(target);
  record.task = walk.task;
  record.approver = walk.approver;
  record.approval = walk.approval_id;
  return record;
}

Result<void> write_intent(Services& services, Walk& walk) {
  if (auto r = walk.lock.check(); !r) return r;
  if (!walk.tool->changes() || walk.host.dry_run) return {};
  std::vector<std::string> targets;
  audit::Record record = record_of(walk, targets);
  record.event = audit::Event::intent;
  record.policy = walk.policy->version();
  record.ok = true;
  if (auto r = services.audit.durable(record); !r) return r;
  walk.intent_written = true;
  return {};
}

Result<void> write_outcome(Services& services, Walk& walk) {
  finish(services, walk);
  return {};
}

}  // namespace vmcp::pipeline
