#include "base/mask.h"
#include "pipeline/walk.h"

namespace vmcp::pipeline {
namespace {

std::int64_t elapsed_ms(const Services& services, const Walk& walk) {
  if (walk.begun_ms != 0)
    return std::chrono::duration_cast<milliseconds>(services.clock.wall().time_since_epoch()).count() -
           walk.begun_ms;
  return std::chrono::duration_cast<milliseconds>(services.clock.now() - walk.context->started).count();
}

// False: the change was made and its OUTCOME could not be written.
bool record_outcome(Services& services, Walk& walk) {
  std::vector<std::string> targets;
  audit::Record record = record_of(walk, targets);
  record.event = audit::Event::outcome;
  record.ok = !walk.answer.is_error;
  record.duration_ms = elapsed_ms(services, walk);
  const std::string shadow = walk.shadow_limit.empty() ? std::string() : "shadow: " + walk.shadow_limit;
  record.rule = shadow;
  if (walk.answer.is_error) {
    record.error =
        walk.answer.texts.empty() ? std::string_view() : std::string_view(walk.answer.texts.front());
    record.code = code_name(walk.answer.code);
    if (!walk.answer.rule.empty()) record.rule = walk.answer.rule;
    record.step = "execute";
  }
  if (!walk.answer.requests.empty()) record.code = "input_required";  // nothing was done yet
  if (walk.task_lost) {
    record.ok = false;
    record.code = "unknown";
    record.error = "vCenter no longer knows the task; reconcile by reading the object";
  }
  if (walk.intent_written) return services.audit.durable(record).ok();
  services.audit.buffered(record);
  return true;
}

void come_back_late(Services& services, Walk& walk) {
  services.log.warning("a call came back after its deadline",
                       {{"tool", walk.call.name}, {"request_id", walk.context->request_id}});
  if (!walk.intent_written) return;
  std::vector<std::string> targets;
  audit::Record record = record_of(walk, targets);
  if (!walk.answer.parked.empty()) {  // nobody will go on with it
    services.watcher.follow(*walk.connection, walk.task, record, walk.context->started);
    return;
  }
  record.event = audit::Event::outcome;
  record.step = "late";
  record.ok = !walk.answer.is_error;
  record.duration_ms = elapsed_ms(services, walk);
  if (walk.answer.is_error && !walk.answer.texts.empty()) record.error = walk.answer.texts.front();
  services.audit.buffered(record);
}

}  // namespace

ToolAnswer error_answer(const Error& error) {
  ToolAnswer answer;
  if (error.code == Code::unknown_tool || error.code == Code::malformed || error.code == Code::client_lacks) {
    answer.protocol = error;
    return answer;
  }
  answer.is_error = true;
  answer.code = error.code;
  answer.rule = error.rule;
  answer.scope = error.scope;
  answer.retry_after_ms = error.retry_after_ms;
  answer.quota = error.quota;
  answer.texts.push_back(mask_text(error.text));
  return answer;
}

void finish(Services& services, Walk& walk) {
  if (!walk.end(Walk::Ended::by_steps)) {
    come_back_late(services, walk);
    return;
  }
  if (!walk.answer.parked.empty()) {
    // The OUTCOME is owed by the walk that goes on from here.
  } else if (walk.task_running && walk.intent_written && !walk.task.empty() &&
             (!walk.answer.is_error || walk.lock.hit())) {
    // The reply leaves before the task has ended: the watcher owes the OUTCOME. Also when a lock stopped the
    // call, which does not stop what vCenter has taken.
    std::vector<std::string> targets;
    services.watcher.follow(*walk.connection, walk.task, record_of(walk, targets), walk.context->started);
  } else if (!record_outcome(services, walk)) {
    walk.answer.texts.push_back(
        "The action was carried out, but its outcome could not be written to the audit. Verify by reading; "
        "do not "
        "repeat it. Changing tools are closed until the audit recovers.");
    walk.answer.structured.clear();
    walk.answer.is_error = true;
    walk.answer.code = Code::internal;
  }
  walk.done(std::move(walk.answer));
}

void refuse(Services& services, Walk& walk, std::string_view step, const Error& error) {
  ToolAnswer answer = error_answer(error);
  if (walk.call.feature != Feature::tool) answer.protocol = error;
  if (!error.detail.empty())
    services.log.warning("call refused", {{"request_id", walk.context->request_id},
                                          {"tool", walk.call.name},
                                          {"step", step},
                                          {"detail", error.detail}});
  if (walk.intent_written) {  // refused after INTENT means: it ran and failed; that is an outcome
    walk.answer = std::move(answer);
    finish(services, walk);
    return;
  }
  if (!walk.end(Walk::Ended::by_steps)) {
    come_back_late(services, walk);
    return;
  }
  std::vector<std::string> targets;
  audit::Record record = record_of(walk, targets);
  const std::string text = mask_text(error.text);
  record.event = step == "execute" || step == "sanitise" ? audit::Event::outcome : audit::Event::refused;
  record.ok = false;
  record.step = step;
  record.rule = error.rule;
  if (walk.policy) record.policy = walk.policy->version();
  record.error = text;
  record.code = code_name(error.code);
  record.duration_ms = elapsed_ms(services, walk);
  services.audit.buffered(record);
  walk.done(std::move(answer));
}

// On the watch thread, while a worker still holds the walk: touches nothing that the worker may be writing.
void overrun(Services& services, Walk& walk) {
  if (!walk.end(Walk::Ended::by_watch)) return;
  ToolAnswer answer = error_answer(make_error(
      Code::timeout,
      "The tool did not answer in time" +
          std::string(walk.intent_written ? "; the change may still be under way or made. Read the "
                                            "state before repeating it."
                                          : ". Try again, or ask for less.")));
  audit::Record record;
  record.event = audit::Event::outcome;
  record.request_id = walk.context->request_id;
  record.trace_id = walk.context->trace_id;
  record.peer = walk.context->peer;
  record.method = walk.context->method;
  record.identity = walk.context->principal->identity;
  record.role = walk.context->principal->role;
  record.tool = walk.call.name;
  record.step = "deadline";
  record.code = code_name(Code::timeout);
  record.error = answer.texts.front();
  record.duration_ms = elapsed_ms(services, walk);
  services.audit.buffered(record);
  if (walk.call.feature != Feature::tool) answer.protocol = make_error(Code::timeout, answer.texts.front());
  if (const tools::ToolPtr tool = find_subject(*walk.catalog, walk.call.feature, walk.call.name)) {
    tool->stuck.fetch_add(1);
    services.log.error(
        "a tool did not come back by its deadline",
        {{"tool", walk.call.name}, {"plugin", tool->plugin_label}, {"request_id", walk.context->request_id}});
  }
  walk.done(std::move(answer));
}

}  // namespace vmcp::pipeline
