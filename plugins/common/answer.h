// The shape that every answer of the first-party plugins has: {"ok":true,"meta":{"host":…}, …}.
#pragma once

#include <string>
#include "common/json.h"

namespace vmcp::plugins {

// The beginning of an answer; the tool adds its own keys.
inline json envelope(const call& c) {
  return json{{"ok", true}, {"meta", {{"host", std::string(c.vcenter_name())}}}};
}

// {"ok":…, "meta":…, KEY: value}: the whole answer of a tool that tells of one thing.
inline status answer(call& c, const char* key, json value) {
  json out = envelope(c);
  out[key] = std::move(value);
  return c.json(out);
}

}  // namespace vmcp::plugins
