// Reading the tables of structure.cpp and rules.cpp: each field by its name, each that nobody asked for
// noted.
#pragma once

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "config/node.h"
#include "config/table.h"

namespace vmcp::config {

inline void add(Problems& problems, const Origin& at, std::string what, std::string fix) {
  problems.push_back({at, std::move(what), std::move(fix)});
}

// Reads the fields of one table by name and notes each that nobody asked for.
class Fields {
 public:
  Fields(const Node& table, std::string title, Problems& problems)
      : table_(table), title_(std::move(title)), problems_(problems) {}

  bool text(const char* name, std::string& out) {
    const Node* node = take(name);
    if (node == nullptr) return false;
    if (node->kind != Node::Kind::text || node->text.empty()) {
      wrong(*node, name, "a text in quotes");
      return false;
    }
    out = node->text;
    return true;
  }
  void boolean(const char* name, bool& out) {
    const Node* node = take(name);
    if (node == nullptr) return;
    if (node->kind == Node::Kind::boolean)
      out = node->boolean;
    else
      wrong(*node, name, "true or false");
  }
  // A date, or a date and time with its offset; as TOML has them, or as a text.
  bool moment(const char* name, std::optional<WallTime>& out) {
    const Node* node = take(name);
    if (node == nullptr) return true;
    if (node->kind == Node::Kind::text || node->kind == Node::Kind::other) out = parse_iso8601(node->text);
    if (out) return true;
    wrong(*node, name, "a date such as 2027-01-01, or a moment such as 2027-01-01T08:00:00Z");
    return false;
  }
  bool texts(const char* name, std::vector<std::string>& out) {
    const Node* node = take(name);
    return node != nullptr && read_texts(*node, name, out);
  }
  const Node* take(const char* name) {
    known_.emplace_back(name);
    return table_.field(name);
  }
  bool read_texts(const Node& node, const char* name, std::vector<std::string>& out) {
    if (node.kind != Node::Kind::array) {
      wrong(node, name, "a list of texts: [\"one\", \"two\"]");
      return false;
    }
    for (const auto& item : node.items) {
      if (item.kind == Node::Kind::text && !item.text.empty())
        out.push_back(item.text);
      else
        wrong(item, name, "a list of texts: [\"one\", \"two\"]");
    }
    return true;
  }
  bool number(const char* name, std::optional<double>& out) {
    const Node* node = take(name);
    if (node == nullptr) return false;
    out = number_in(*node);
    if (!out) wrong(*node, name, "a number");
    return out.has_value();
  }
  void number(const char* name, double least, double most, std::optional<double>& out) {
    const Node* node = take(name);
    if (node == nullptr) return;
    const std::optional<double> value = number_in(*node);
    if (value && *value >= least && *value <= most) {  // NaN is not
      out = value;
      return;
    }
    char wanted[64];
    std::snprintf(wanted, sizeof wanted, "a number from %g to %.0f", least, most);
    wrong(*node, name, wanted);
  }
  // A table inside this one; null when it is not there or is none.
  const Node* table(const char* name) {
    const Node* node = take(name);
    if (node == nullptr || node->kind == Node::Kind::table) return node;
    wrong(*node, name, "a table: { key = value }");
    return nullptr;
  }
  // To be called last.
  void refuse_others() {
    for (const auto& [key, value] : table_.fields) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near = nearest_of(key.substr(0, 64), known_, 3);
      std::string all;
      for (const auto& name : known_) all += (all.empty() ? "" : ", ") + name;
      add(problems_, value.where, title_ + ": unknown key " + in_quotes(key),
          near.empty() ? "its keys are " + all : "did you mean " + near + "?");
    }
  }

 private:
  static std::optional<double> number_in(const Node& node) {
    if (node.kind == Node::Kind::integer) return static_cast<double>(node.integer);
    if (node.kind == Node::Kind::number) return node.number;
    return std::nullopt;
  }
  void wrong(const Node& node, const char* name, const char* wanted) {
    add(problems_, node.where, title_ + ": " + name + " takes " + wanted, std::string("write ") + wanted);
  }

  const Node& table_;
  std::string title_;
  Problems& problems_;
  std::vector<std::string> known_;
};

// False for a value that JSON has no place for here (dates).
bool json_of(const Node& node, Json& out);

}  // namespace vmcp::config
