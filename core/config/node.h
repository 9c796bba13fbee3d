// A configured value before anyone knows what it means: a small tree in which every value remembers where it
// was written, so that a wrong one can be pointed at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcp::config {

// Lowest to highest precedence.
enum class Layer { fallback, file, env_file, environment, flag };

struct Origin {
  Layer layer = Layer::fallback;
  std::string name;  // file name, variable or flag
  int line = 0;      // 1-based; 0 = has none
  int column = 0;
  std::string variable = {};  // in an .env file: the variable's name

  // "default", "site.toml:3:8", ".env:4:1 VCENTER_HOST", "environment VCENTER_HOST", "flag --listen"
  std::string text() const;
};

struct Field;

struct Node {
  enum class Kind { boolean, integer, number, text, array, table, other };
  Kind kind = Kind::text;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;           // of `other`: a date as ISO 8601, else empty
  std::vector<Node> items;    // array
  std::vector<Field> fields;  // table, in no particular order
  Origin where;
  bool typed = false;  // true: the source knows types (TOML, JSON); false: a variable or flag, all text

  const Node* field(std::string_view name) const;
};

struct Field {
  std::string key;
  Node value;
};

inline const Node* Node::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (key == name) return &value;
  return nullptr;
}

const char* kind_name(Node::Kind kind);

// One thing that is wrong with the configuration. Never holds the value of a secret.
struct Problem {
  Origin where;
  std::string what;  // a sentence without full stop
  std::string fix;   // imperative, may be empty when `what` already says it
};
using Problems = std::vector<Problem>;

// Text as a tree of its JSON values, all at `where`. `secret`: the problem must not quote the text.
// Returns false after adding to `problems`.
bool node_from_json(std::string_view text, const Origin& where, bool secret, Node& out, Problems& problems);

}  // namespace vmcp::config
