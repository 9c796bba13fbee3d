// Values against the compact schemas of the Automation API (the notation: core/vcenter/facts/automation.py).
#pragma once

#include <string>
#include <string_view>

#include "contract/deviation.h"

namespace vmcp::contract {

class SchemaCheck {
 public:
  // `schemas` outlives the check.
  explicit SchemaCheck(const Json& schemas) : schemas_(schemas) {}

  void check(const Json& schema, const Json& value, const std::string& where, Report& report) const;
  // A value that travels as text: a query parameter. Arrays are checked element by element by the caller.
  void check_text(const Json& schema, std::string_view text, const std::string& where, Report& report) const;
  // The schema behind a "#Name"; the schema itself if it is no reference.
  const Json& resolve(const Json& schema) const;

 private:
  void check_object(const Json& schema, const std::string& name, const Json& value, const std::string& where,
                    Report& report) const;
  const Json& schemas_;
};

// A short form for messages: the type, or the value if it is short.
std::string brief(const Json& value);

}  // namespace vmcp::contract
