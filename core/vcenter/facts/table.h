// The shape of the generated table; only operations.cpp reads it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vcenter/operations.h"

namespace vmcp::vcenter::facts {

// One segment of a path. Literal children are neighbours and sorted; the root is node 0, so 0 also means
// "none".
struct PathNode {
  std::string_view segment;
  std::uint16_t first_child, literal_children;
  std::uint16_t parameter_child;
  std::uint16_t first_operation, operations;
};

struct PathOperation {
  std::string_view method;
  std::string_view action;  // of the query; empty = none
  bool task;                // with vmw-task=true
  std::string_view query;   // documented query parameters besides those two, comma-separated, sorted
  Operation operation;
};

// A managed type and the row of its parent, -1 at a root. Sorted by name.
struct TypeRow {
  std::string_view name;
  std::int16_t parent;
};

struct Table {
  std::span<const PathNode> nodes;
  std::span<const PathOperation> automation;
  std::span<const TypeRow> types;
  std::span<const Operation> methods;     // sorted by id, "Type.member"
  std::span<const Operation> properties;  // likewise
};

extern const Table kTable;

}  // namespace vmcp::vcenter::facts
