// A JSON Schema of a tool, compiled once at load and checked against every call.
// What cannot be enforced is refused when it is compiled, never ignored when it is checked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tools/headers_gate.h"

namespace vmcp::tools {

class Schema {
 public:
  // Dialect 2020-12 (or draft-07 as far as both agree). `what` begins every error text, e.g.
  // "tool list_vms: input schema". Refuses with the keyword and its place: what the host cannot enforce
  // (unevaluated*, patternProperties, $dynamicRef, remote references, reference rings, …), malformed keyword
  // values, bounds beyond 2^53, more than 256 KiB, 2,000 subschemas, depth 64. [control]
  static Result<std::shared_ptr<const Schema>> compile(std::string_view json_text, std::string_view what);

  // Code::invalid_argument with at most five violations, one a line, each with the JSON pointer, what was
  // expected and what came. Values under secret keys are not repeated. Bounded work, whatever the value.
  // Throws nothing. [any]
  Result<void> check(const Json& value) const;

  // The arguments that modern MCP clients repeat as Mcp-Param-* headers (x-mcp-header).
  const std::vector<HeaderParam>& header_params() const;

  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

 private:
  struct Impl;
  explicit Schema(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::tools
