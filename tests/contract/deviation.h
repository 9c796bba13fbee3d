// What the contract check found wrong in an exchange, and the named exceptions to its rules.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcp::contract {

struct Deviation {
  std::string
      rule;  // "path", "method", "status", "required", "unknown-field", "enum", … (README.md lists them)
  std::string operation;  // the official id, or "METHOD path" when there is none
  int status = 0;
  std::string where;   // "request/name" or "reply/0/vm": JSON pointer behind the side
  std::string schema;  // the official type that was violated, if one
  std::string value;   // the offending field name or value, short
  std::string text;    // the sentence for a person
};

// Deviations that are right although no document says so; each names its evidence. Loaded from
// exceptions.json:
// {"rule":"status","operation":"GET *","status":404,"evidence":"…"}; rule and evidence are required,
// operation, where, schema and value are globs, an absent member matches everything.
class Exceptions {
 public:
  Exceptions() = default;
  static Result<Exceptions> parse(const Json& list);
  bool covers(const Deviation& deviation) const;

 private:
  struct Row {
    std::string rule, operation, where, schema, value;
    int status = 0;
  };
  std::vector<Row> rows_;
};

// Collects the deviations of one exchange; knows the operation and status that they belong to.
struct Report {
  const Exceptions& exceptions;
  std::string operation;
  int status = 0;
  std::vector<Deviation> found;
  std::vector<Deviation> excepted;

  void add(std::string rule, std::string where, std::string schema, std::string value, std::string text);
};

}  // namespace vmcp::contract
