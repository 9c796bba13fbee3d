#include "simulator/failure.h"

namespace vmcp::simulator {
namespace {

const char* words(Power power) {
  switch (power) {
    case Power::off:
      return "Powered off";
    case Power::on:
      return "Powered on";
    case Power::suspended:
      return "Suspended";
  }
  return "";
}

}  // namespace

Json moref(std::string_view type, std::string_view id) {
  return {{"_typeName", "ManagedObjectReference"}, {"type", type}, {"value", id}};
}

Json moref(const Entity& entity) {
  return moref(type_name(entity.kind), entity.id);
}

Failure simple_failure(std::string type, std::string message) {
  return {std::move(type), std::move(message), Json::object()};
}

Failure invalid_power_state(Power existing, Power requested) {
  return {"InvalidPowerState",
          std::string("The attempted operation cannot be performed in the current state (") +
              words(existing) + ").",
          {{"existingState", vim_name(existing)}, {"requestedState", vim_name(requested)}}};
}

Failure no_permission(const Entity& entity, std::string_view privilege) {
  return {"NoPermission",
          "Permission to perform this operation was denied.",
          {{"object", moref(entity)},
           {"privilegeId", privilege},
           {"missingPrivileges", Json::array({{{"_typeName", "NoPermissionEntityPrivileges"},
                                               {"entity", moref(entity)},
                                               {"privilegeIds", Json::array({privilege})}}})}}};
}

Failure task_in_progress(const Entity& task) {
  return {"TaskInProgress",
          "The operation is not allowed while another task is in progress.",
          {{"task", moref(task)}}};
}

Failure invalid_argument(std::string_view property, std::string message) {
  return {"InvalidArgument", std::move(message), {{"invalidProperty", property}}};
}

Failure object_not_found(std::string_view type, std::string_view id) {
  return {"ManagedObjectNotFound",
          "The object 'vim." + std::string(type) + ":" + std::string(id) +
              "' has already been deleted or has not been completely created",
          {{"obj", moref(type, id)}}};
}

Json fault_body(const Failure& failure) {
  Json body = failure.fields;
  body["_typeName"] = failure.type;
  body["faultstring"] = failure.message;
  return body;
}

Json localized_fault(const Failure& failure) {
  Json fault = failure.fields;
  fault["_typeName"] = failure.type;
  return {{"_typeName", "LocalizedMethodFault"},
          {"fault", std::move(fault)},
          {"localizedMessage", failure.message}};
}

}  // namespace vmcp::simulator
