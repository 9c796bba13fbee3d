// The host's own checker: a schema as a tree of nodes. It enforces every keyword of a flat schema (objects,
// arrays and values, with allOf and $ref) without allocating while the value is right, and words what is
// wrong. Of other schemas it enforces these keywords and leaves the rest to valijson; what it refuses is
// invalid in any case.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tools/schema_gate.h"

namespace vmcp::tools {

struct Violations {
  static constexpr std::size_t kMax = 5;
  std::vector<std::string> lines;  // "<pointer>: expected …, got …"
  bool more = false;               // at least one was left out

  bool full() const { return lines.size() >= kMax; }
  void add(std::string line);
};

struct SchemaNode;  // schema_node_data.h

class SchemaTree {
 public:
  explicit SchemaTree(const GatedSchema& gated);
  ~SchemaTree();
  // Adds what is wrong with `value`; nothing when all that it enforces holds.
  void check(const Json& value, Violations& out) const;

 private:
  class Builder;
  class Check;
  std::vector<std::unique_ptr<SchemaNode>> nodes_;
  const SchemaNode* root_ = nullptr;
};

}  // namespace vmcp::tools
