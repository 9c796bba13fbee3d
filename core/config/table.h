// Every setting, one row each. From these rows come loading, the detection of unknown names, the names of the
// environment variables, the reference page and the print of the effective configuration: nothing about a
// setting is said anywhere else.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "config/settings.h"

namespace vmcp::config {

enum class Type {
  text,
  boolean,
  integer,
  number,
  seconds,  // a number in files and variables, milliseconds in Settings
  list,     // texts; comma-separated in a variable
  choice,   // one of `choices`, in any case
  tree,     // tables; JSON in a variable; read by structure.cpp
};

enum class Takes { reload, restart };

// A value that fits its row.
struct Value {
  std::string text;
  bool on = false;
  std::int64_t integer = 0;
  double number = 0;
  std::vector<std::string> list;

  milliseconds duration() const { return milliseconds(static_cast<std::int64_t>(number * 1000 + 0.5)); }
  std::size_t size() const { return static_cast<std::size_t>(integer); }
};

// Empty when the value is fine, else what is wrong with it and how to correct it.
struct Fault {
  std::string what, fix;
  bool none() const { return what.empty(); }
};

struct Row {
  std::string_view key = {};       // in TOML: "vcenter.timeout_s"
  std::string_view variable = {};  // the Python server's, or a short one of ours; empty = only VMCP__…
  Type type = Type::text;
  std::string_view fallback = {};  // as one would write it in a variable; empty = not set
  double least = 0, most = 0;      // of numbers, inclusive
  std::string_view choices = {};   // "api|rest"
  bool secret = false;             // masked everywhere; also has KEY_file and VARIABLE_FILE
  Takes takes = Takes::restart;
  std::string_view help = {};
  void (*set)(Settings&, const Value&) = nullptr;  // null: read by structure.cpp or load.cpp
  Fault (*check)(const Value&) = nullptr;
};

std::span<const Row> table();

// The row of a TOML key. `from_file`: the key was the row's "…_file" form.
const Row* find_key(std::string_view key, bool& from_file);
// The row of a variable, by its short name or its VMCP__ name. `long_name`: it was the latter.
const Row* find_variable(std::string_view name, bool& from_file, bool& long_name);

// "vcenter.timeout_s" -> "VMCP__VCENTER__TIMEOUT_S"
std::string long_variable(std::string_view key);

// The nearest known name, or empty when none is near.
std::string nearest_key(std::string_view key);
std::string nearest_variable(std::string_view name, std::size_t max_distance);
std::string nearest_of(std::string_view name, std::span<const std::string> names, std::size_t max_distance);

// A value of a scalar row from what a source wrote; adds a problem and returns false when it does not fit.
bool value_from_node(const Row& row, const Node& node, Value& out, Problems& problems);

// What a secret must not be called, and the others short and on one line: for texts of problems.
std::string in_quotes(std::string_view text);

}  // namespace vmcp::config
