// What vCenter says when it refuses, read from either protocol's error body.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace vmcp::vcenter {

struct Fault {
  std::string type;                     // "NOT_FOUND" or "InvalidPowerState"; empty = the body says nothing
  std::vector<std::string> messages;    // vCenter's own words, outermost first; one line each, bounded
  std::vector<std::string> ids;         // message ids (Automation API)
  std::vector<std::string> privileges;  // that were missing, when it names them
  std::string object;                   // MoRef that the fault is about, when it names one
  std::string states;                   // "poweredOn" as found, when it names it
};

// {"error_type","messages"}: the /api shape.
Fault read_automation_fault(std::string_view body);

// A vim25 fault as VI/JSON sends it, or a LocalizedMethodFault (TaskInfo.error).
Fault read_vim_fault(std::string_view body);
Fault fault_from_json(const Json& fault);

}  // namespace vmcp::vcenter
