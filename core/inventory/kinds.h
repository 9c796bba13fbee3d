// The kinds of objects and the vim25 types behind them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcp::inventory {

struct Kind {
  std::string_view name;  // "vm"
  std::string_view word;  // for sentences: "virtual machine"
  std::string_view base;  // the vim25 type that all types of the kind are: asking for it finds them all
  std::span<const std::string_view> types;
};

// Null for a kind that is none.
const Kind* find_kind(std::string_view name);
const Kind* kind_of_type(std::string_view type);
std::span<const Kind> all_kinds();

// What is read of the objects of one type, those of its subtypes included.
struct TypeProperties {
  std::string type;
  std::vector<std::string> paths;
};

// `wanted` and `always` for the kind's base type; what only a subtype has goes to that subtype, beside the
// base. An error names the paths that no type of the kind has, by the official table.
Result<std::vector<TypeProperties>> spread_properties(const Kind& kind,
                                                      const std::vector<std::string>& wanted,
                                                      const std::vector<std::string>& always);

}  // namespace vmcp::inventory
