// The power state of a virtual machine, by the Automation API.
#pragma once

#include <string>
#include "common/json.h"

namespace vmcp::plugins {

constexpr const char* kPoweredOn = "POWERED_ON";
constexpr const char* kPoweredOff = "POWERED_OFF";
constexpr const char* kSuspended = "SUSPENDED";

struct PowerState {
  reply source;       // failed: `value` is empty
  std::string value;  // POWERED_ON, POWERED_OFF, SUSPENDED
};

inline PowerState read_power_state(const call& c, const std::string& vm) {
  PowerState out;
  out.source = c.vcenter().get(path("/api/vcenter/vm/{}/power", vm));
  if (!out.source) return out;
  const json body = parse(out.source);
  if (body.is_object()) out.value = body.value("state", "");
  if (out.value.empty()) {
    out.source.status = status::fault;
    out.source.error = "vCenter's answer about the power state was not understood.";
  }
  return out;
}

}  // namespace vmcp::plugins
