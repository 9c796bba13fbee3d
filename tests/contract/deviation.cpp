#include "contract/deviation.h"

#include "base/glob.h"

namespace vmcp::contract {
namespace {

bool is_rule_member(const std::string& key) {
  for (const char* known : {"rule", "operation", "where", "schema", "value", "status", "evidence"}) {
    if (key == known) return true;
  }
  return false;
}

}  // namespace

Result<Exceptions> Exceptions::parse(const Json& list) {
  if (!list.is_array()) return make_error(Code::malformed, "exceptions: a JSON array is expected");
  Exceptions out;
  for (const Json& entry : list) {
    if (!entry.is_object() || !entry.contains("rule") || !entry.contains("evidence"))
      return make_error(Code::malformed,
                        "exceptions: every entry needs \"rule\" and \"evidence\": " + entry.dump());
    Row row;
    for (const auto& [key, value] : entry.items()) {
      if (!is_rule_member(key))
        return make_error(Code::malformed, "exceptions: unknown member \"" + key + "\"");
      if (key == "status" ? !value.is_number_integer() : !value.is_string())
        return make_error(Code::malformed, "exceptions: wrong type of \"" + key + "\"");
    }
    row.rule = entry["rule"];
    row.operation = entry.value("operation", "*");
    row.where = entry.value("where", "*");
    row.schema = entry.value("schema", "*");
    row.value = entry.value("value", "*");
    row.status = entry.value("status", 0);
    out.rows_.push_back(std::move(row));
  }
  return out;
}

bool Exceptions::covers(const Deviation& d) const {
  for (const Row& row : rows_) {
    if (row.rule == d.rule && (row.status == 0 || row.status == d.status) &&
        glob_match(row.operation, d.operation) && glob_match(row.where, d.where) &&
        glob_match(row.schema, d.schema) && glob_match(row.value, d.value))
      return true;
  }
  return false;
}

void Report::add(std::string rule, std::string where, std::string schema, std::string value,
                 std::string text) {
  if (value.size() > 80) value.resize(80);
  Deviation d{std::move(rule),   operation,        status,         std::move(where),
              std::move(schema), std::move(value), std::move(text)};
  (exceptions.covers(d) ? excepted : found).push_back(std::move(d));
}

}  // namespace vmcp::contract
