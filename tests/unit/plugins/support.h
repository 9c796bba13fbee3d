// What the tests of all plugins share.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "unit/plugins/fake_host.h"

namespace vmcp::test {

inline std::string plugin_file(const char* name) {
  return std::string(VMCP_PLUGIN_DIRECTORY "/") + name + ".so";
}
inline std::string fixture_file(const char* name) {
  return std::string(VMCP_FIXTURE_DIRECTORY "/fixture_") + name + ".so";
}

inline bool mentions(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// A good answer: fine, structured, in the common envelope, and what the tool's output schema promises.
inline void check_answer(const FakeHost& host, std::string_view tool, const Outcome& outcome) {
  CAPTURE(outcome.failure);
  REQUIRE(outcome.status == VMCP_OK);
  REQUIRE(outcome.json.is_object());
  CHECK(outcome.json.at("ok") == true);
  CHECK(outcome.json.at("meta").at("host") == "vc.test");
  for (const std::string& problem : host.schema_problems(tool, outcome.json)) FAIL_CHECK(problem);
}

// A preview: it tells before and after, and asked for nothing that changes.
inline void check_preview(const FakeHost& host, const Outcome& outcome) {
  CAPTURE(outcome.failure);
  REQUIRE(outcome.status == VMCP_OK);
  for (const char* key : {"action", "target", "before", "after", "warnings"})
    CHECK(outcome.json.contains(key));
  CHECK(host.changing_requests().empty());
}

inline Json task_info(const char* state, Json result = nullptr) {
  Json out{{"_typeName", "TaskInfo"}, {"key", "task-9"}, {"state", state}};
  if (!result.is_null()) out["result"] = std::move(result);
  return out;
}

inline Json failed_task(const char* fault, const char* message) {
  Json out = task_info("error");
  out["error"] = {{"_typeName", "LocalizedMethodFault"},
                  {"fault", {{"_typeName", fault}}},
                  {"localizedMessage", message}};
  return out;
}

inline Json reference(const char* type, const char* id) {
  return {{"_typeName", "ManagedObjectReference"}, {"type", type}, {"value", id}};
}

}  // namespace vmcp::test
