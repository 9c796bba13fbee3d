// What a simulated operation can end in: a vim25 fault, by its wire name. The Automation API's error is
// derived from it (automation_errors.cpp), so both APIs tell the same story about the same state.
#pragma once

#include <string>

#include "base/json.h"
#include "simulator/model.h"

namespace vmcp::simulator {

struct Failure {
  std::string type;     // "InvalidPowerState"
  std::string message;  // what a person reads
  Json fields = Json::object();
};

Json moref(const Entity& entity);
Json moref(std::string_view type, std::string_view id);

Failure invalid_power_state(Power existing, Power requested);
Failure no_permission(const Entity& entity, std::string_view privilege);
Failure task_in_progress(const Entity& task);
Failure invalid_argument(std::string_view property, std::string message);
Failure object_not_found(std::string_view type, std::string_view id);
Failure simple_failure(std::string type, std::string message);

// {"_typeName":T, fields…, "faultstring":message}: the body of a VI/JSON 500.
Json fault_body(const Failure& failure);
// {"_typeName":"LocalizedMethodFault","fault":{…},"localizedMessage":…}: inside TaskInfo and MissingProperty.
Json localized_fault(const Failure& failure);

}  // namespace vmcp::simulator
