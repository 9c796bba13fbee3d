// One subschema, as SchemaTree checks it.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tools/schema_node.h"
#include "tools/schema_rules.h"

namespace vmcp::tools {

inline constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

enum TypeBits : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kFraction = 8,  // a number that is no integer
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAnyType = 127
};

inline std::uint8_t type_bit(std::string_view name) {
  if (name == "null") return kNull;
  if (name == "boolean") return kBoolean;
  if (name == "integer") return kInteger;
  if (name == "number") return kInteger | kFraction;
  if (name == "string") return kString;
  return name == "array" ? kArray : kObject;
}

inline std::uint8_t bits_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return kNull;
    case Json::value_t::boolean:
      return kBoolean;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return kInteger;
    case Json::value_t::number_float:
      return integral(value.get<double>()) ? kInteger : kFraction;
    case Json::value_t::string:
      return kString;
    case Json::value_t::array:
      return kArray;
    case Json::value_t::object:
      return kObject;
    default:
      return 0;
  }
}

struct SchemaNode {
  struct Property {
    std::string name;
    const SchemaNode* node;
    bool required;
  };

  bool never = false;  // the schema `false`
  bool unique = false;
  std::uint8_t types = kAnyType;
  std::optional<Json> constant;
  std::optional<std::vector<Json>> values;
  std::optional<double> minimum, maximum, above, below, multiple;
  std::size_t min_length = 0, max_length = kUnbounded;
  std::size_t min_items = 0, max_items = kUnbounded;
  std::size_t min_properties = 0, max_properties = kUnbounded;
  std::unique_ptr<RE2> pattern;
  std::vector<Property> properties;  // sorted by name
  std::vector<std::string> required_unlisted;
  const SchemaNode* additional = nullptr;  // null: anything
  const SchemaNode* items = nullptr;
  std::vector<const SchemaNode*> also;  // allOf and the target of $ref

  bool bounded_number() const { return minimum || maximum || above || below || multiple; }
};

}  // namespace vmcp::tools
