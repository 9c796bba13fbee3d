#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

const char* error_type_of(const Failure& failure) {
  const std::string& type = failure.type;
  if (type == "InvalidPowerState") {
    const bool same = failure.fields.value("existingState", "") == failure.fields.value("requestedState", "");
    return same ? "ALREADY_IN_DESIRED_STATE" : "NOT_ALLOWED_IN_CURRENT_STATE";
  }
  if (type == "TaskInProgress") return "RESOURCE_BUSY";
  if (type == "NotSupported") return "UNSUPPORTED";
  if (type == "InvalidState" || type == "CpuHotPlugNotSupported" || type == "MemoryHotPlugNotSupported") {
    return "NOT_ALLOWED_IN_CURRENT_STATE";
  }
  if (type == "InvalidArgument") return "INVALID_ARGUMENT";
  if (type == "ToolsUnavailable") return "SERVICE_UNAVAILABLE";
  if (type == "ManagedObjectNotFound") return "NOT_FOUND";
  if (type == "NoPermission") return "UNAUTHORIZED";
  if (type.find("InsufficientResources") != std::string::npos) return "UNABLE_TO_ALLOCATE_RESOURCE";
  return "ERROR";
}

}  // namespace

Answer answer_for(const Failure& failure) {
  // The cause's message is the fault's own summary, as the stack of a real reply shows it.
  return Answer::error(error_type_of(failure), {"vmsg." + failure.type + ".summary", failure.message, {}});
}

Answer not_found(const char* what, const char* id_part, const std::string& id) {
  return Answer::error("NOT_FOUND", {std::string("com.vmware.api.vcenter.") + id_part + ".not_found",
                                     std::string(what) + " with identifier '" + id + "' does not exist.",
                                     {id}});
}

Answer unauthenticated() {
  return Answer::error(
      "UNAUTHENTICATED",
      {"com.vmware.vapi.endpoint.method.authentication.required", "Authentication required.", {}});
}

Answer unauthorized(const Entity& entity, std::string_view privilege) {
  return Answer::error(
      "UNAUTHORIZED",
      {"vmsg.NoPermission.summary",
       "Permission to perform this operation was denied. Required privilege '" + std::string(privilege) +
           "' on " + type_name(entity.kind) + " '" + entity.id + "'.",
       {entity.id, std::string(privilege)}});
}

Answer invalid_argument_answer(std::string text, std::vector<std::string> args) {
  return Answer::error("INVALID_ARGUMENT", {"vapi.method.input.invalid", std::move(text), std::move(args)});
}

Answer unexpected_input(const std::string& name) {
  return Answer::error("UNEXPECTED_INPUT",
                       {"vapi.data.structure.field.extra",
                        "The request contains the unexpected parameter or field '" + name + "'.",
                        {name}});
}

}  // namespace vmcp::simulator
