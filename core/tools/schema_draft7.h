// valijson behind a narrow door: the engine for schemas that are not flat. Debian's 1.0 stops at draft 7, so
// the schema is rewritten; what it gets wrong or does dangerously (std::regex, integers like 1.0, lengths
// with NUL, multipleOf, quadratic uniqueItems) is taken out of its sight and checked by rules of ours that it
// calls.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tools/schema_gate.h"
#include "tools/schema_node.h"

namespace vmcp::tools {

class Draft7 {
 public:
  // `gated` may not be recursive. Code::malformed when valijson refuses it.
  static Result<std::unique_ptr<const Draft7>> compile(const GatedSchema& gated);
  ~Draft7();

  // Adds at least one line when it is invalid. Throws nothing. [any; one validator per thread inside]
  void check(const Json& value, Violations& out) const;

 private:
  struct Impl;
  explicit Draft7(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The rewriting alone. Code::malformed for what no rewriting saves.
Result<Json> rewrite_for_draft7(const GatedSchema& gated);

}  // namespace vmcp::tools
