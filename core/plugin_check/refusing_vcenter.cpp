#include "plugin_check/refusing_vcenter.h"

namespace vmcp::plugin_check {

// One way to be refused: as the Automation API and as vim25 say it.
struct RefusingVcenter::Refusal {
  Code code;
  int http_status;
  const char* error_type;  // null: no answer came
  const char* fault;
  const char* words;
  Error error() const { return make_error(code, words); }
};

const RefusingVcenter::Refusal& RefusingVcenter::next() {
  static constexpr Refusal kRefusals[] = {
      {Code::denied, 403, "UNAUTHORIZED", "NoPermission", "vCenter refuses: the privilege is missing."},
      {Code::not_found, 404, "NOT_FOUND", "ManagedObjectNotFound", "vCenter has no such object."},
      {Code::conflict, 400, "NOT_ALLOWED_IN_CURRENT_STATE", "InvalidState", "The object's state forbids it."},
      {Code::unavailable, 503, "SERVICE_UNAVAILABLE", "HostCommunication",
       "vCenter is not ready; try later."},
      {Code::timeout, 0, nullptr, nullptr, "vCenter did not answer in time."},
  };
  const std::lock_guard lock(mutex_);
  return kRefusals[random_.below(std::size(kRefusals))];
}

vcenter::Reply RefusingVcenter::automation(const vcenter::AutomationRequest&, const CallLimits&) {
  const Refusal& refusal = next();
  vcenter::Reply reply;
  reply.http_status = refusal.http_status;
  if (refusal.error_type != nullptr)
    reply.body = dump_json(Json{{"error_type", refusal.error_type}, {"messages", Json::array()}});
  reply.error = refusal.error();
  return reply;
}

vcenter::Reply RefusingVcenter::vim(const vcenter::VimRequest&, const CallLimits&) {
  const Refusal& refusal = next();
  vcenter::Reply reply;
  reply.http_status = refusal.fault == nullptr ? 0 : 500;
  if (refusal.fault != nullptr)
    reply.body = dump_json(Json{{"_typeName", refusal.fault}, {"faultstring", refusal.words}});
  reply.error = refusal.error();
  return reply;
}

Result<vcenter::About> RefusingVcenter::about(const CallLimits&) {
  return next().error();
}
Result<inventory::Object> RefusingVcenter::resolve(vcenter::Connection&, std::string_view, std::string_view,
                                                   const inventory::Visible&, const CallLimits&) {
  return next().error();
}
Result<inventory::Object> RefusingVcenter::resolve_within(vcenter::Connection&, const inventory::Object&,
                                                          std::string_view, std::string_view,
                                                          const CallLimits&) {
  return next().error();
}
Result<inventory::Object> RefusingVcenter::find(vcenter::Connection&, std::string_view, std::string_view,
                                                const inventory::Visible&, const CallLimits&) {
  return next().error();
}
Result<std::string> RefusingVcenter::get(vcenter::Connection&, std::string_view, std::string_view,
                                         const std::vector<std::string>&, const inventory::Visible&,
                                         const CallLimits&) {
  return next().error();
}
Result<std::string> RefusingVcenter::list(vcenter::Connection&, const Json&, const inventory::Visible&,
                                          const CallLimits&) {
  return next().error();
}

Result<std::vector<inventory::Facts>> RefusingVcenter::facts(vcenter::Connection&,
                                                             const std::vector<const inventory::Object*>&,
                                                             const inventory::FactsWanted&,
                                                             const CallLimits&) {
  return next().error();
}

Result<std::shared_ptr<const inventory::FactTable>> RefusingVcenter::all_facts(vcenter::Connection&,
                                                                               const inventory::FactsWanted&,
                                                                               const CallLimits&) {
  return next().error();
}

std::optional<inventory::Object> RefusingVcenter::find(const tools::ObjectArgument& argument,
                                                       const std::string& name, const inventory::Object*) {
  inventory::Object out;
  out.kind = argument.kind;
  out.vcenter = name_;
  out.id = name;
  out.name = name + "-name";
  if (argument.within.empty()) out.path = "/datacenter/" + argument.kind + "/" + out.name;
  return out;
}

Json RefusingVcenter::task_info(const std::string& task) {
  return {{"_typeName", "TaskInfo"},
          {"key", task},
          {"state", "error"},
          {"error", {{"localizedMessage", "The task was refused."}}}};
}

}  // namespace vmcp::plugin_check
