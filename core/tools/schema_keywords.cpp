#include "tools/schema_keywords.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace vmcp::tools {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double no longer tells integers apart

using Verdict = std::string;

bool exact_number(const Json& v) {
  return v.is_number() && std::fabs(v.get<double>()) <= kExact;
}

// Numbers inside enum and const are compared as doubles by one engine and as integers by the other.
bool exact_everywhere(const Json& v) {
  if (v.is_number()) return exact_number(v);
  if (!v.is_structured()) return true;
  return std::all_of(v.begin(), v.end(), [](const Json& child) { return exact_everywhere(child); });
}

Verdict annotation(const Json&, const Json&) {
  return {};
}

Verdict text(const Json&, const Json& v) {
  return v.is_string() ? "" : "must be a string";
}

Verdict subschema(const Json&, const Json&) {
  return {};
}  // the gate walks into it

Verdict subschema_not_array(const Json&, const Json& v) {
  return v.is_array() ? "as an array is of an older draft; write \"prefixItems\"" : "";
}

Verdict subschemas(const Json&, const Json& v) {
  return v.is_array() && !v.empty() ? "" : "must be a non-empty array of schemas";
}

Verdict clean_names(const Json& v) {
  for (auto it = v.begin(); it != v.end(); ++it)
    if (it.key().find('\0') != std::string::npos) return "has a name with a NUL";
  return {};
}

Verdict subschema_map(const Json&, const Json& v) {
  return v.is_object() ? clean_names(v) : "must be an object of schemas";
}

Verdict count(const Json&, const Json& v) {
  return v.is_number_integer() && exact_number(v) && v.get<double>() >= 0
             ? ""
             : "must be a whole number of at least 0";
}

Verdict number(const Json&, const Json& v) {
  return exact_number(v) ? "" : "must be a number within ±2^53 (larger ones are not compared exactly)";
}

Verdict positive(const Json&, const Json& v) {
  return exact_number(v) && v.get<double>() > 0 ? "" : "must be a number greater than 0 and at most 2^53";
}

Verdict boolean(const Json&, const Json& v) {
  return v.is_boolean() ? "" : "must be true or false";
}

bool is_type_name(const Json& v) {
  static constexpr std::string_view kTypes[] = {"array",  "boolean", "integer", "null",
                                                "number", "object",  "string"};
  return v.is_string() &&
         std::find(std::begin(kTypes), std::end(kTypes), v.get_ref<const std::string&>()) != std::end(kTypes);
}

Verdict types(const Json&, const Json& v) {
  const bool good =
      is_type_name(v) || (v.is_array() && !v.empty() && std::all_of(v.begin(), v.end(), is_type_name));
  return good ? "" : "must be array, boolean, integer, null, number, object, string, or a list of these";
}

Verdict names(const Json&, const Json& v) {
  if (!v.is_array()) return "must be an array of property names";
  std::set<std::string> seen;
  for (const Json& name : v) {
    if (!name.is_string() || !seen.insert(name.get<std::string>()).second)
      return "must be an array of distinct property names";
    if (name.get_ref<const std::string&>().find('\0') != std::string::npos) return "has a name with a NUL";
  }
  return {};
}

Verdict names_map(const Json& schema, const Json& v) {
  if (!v.is_object()) return "must be an object of arrays of property names";
  for (const Json& list : v)
    if (Verdict why = names(schema, list); !why.empty()) return why;
  return clean_names(v);
}

Verdict names_or_schemas(const Json& schema, const Json& v) {
  if (!v.is_object()) return "must be an object";
  for (const Json& entry : v)
    if (entry.is_array())
      if (Verdict why = names(schema, entry); !why.empty()) return why;
  return clean_names(v);
}

Verdict values(const Json&, const Json& v) {
  if (!v.is_array() || v.empty()) return "must be a non-empty array";
  return exact_everywhere(v) ? "" : "holds a number beyond 2^53, which is not compared exactly";
}

Verdict value(const Json&, const Json& v) {
  return exact_everywhere(v) ? "" : "holds a number beyond 2^53, which is not compared exactly";
}

Verdict regex(const Json&, const Json& v) {
  if (!v.is_string()) return "must be a string";
  const std::string why = verify_pattern(v.get<std::string>());
  return why.empty() ? ""
                     : "cannot be enforced: " + why + " (RE2 syntax; no look-around, no back-references)";
}

Verdict dialect(const Json&, const Json& v) {
  static constexpr std::string_view kKnown[] = {
      "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#",
      "http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-07/schema#"};
  const bool known = v.is_string() && std::find(std::begin(kKnown), std::end(kKnown),
                                                v.get_ref<const std::string&>()) != std::end(kKnown);
  return known ? ""
               : "names a dialect that is not supported; use https://json-schema.org/draft/2020-12/schema";
}

Verdict min_contains(const Json&, const Json& v) {
  return v == 1 ? "" : "cannot be enforced unless it is 1";
}

Verdict never(const Json&, const Json&) {
  return "cannot be enforced";
}
Verdict no_unevaluated(const Json&, const Json&) {
  return "cannot be enforced; use \"additionalProperties\" or \"items\"";
}
Verdict no_patterns(const Json&, const Json&) {
  return "cannot be enforced; list the names under \"properties\" or use \"additionalProperties\"";
}

// Sorted by name.
constexpr KeywordRule kRules[] = {
    {"$anchor", true, text},
    {"$comment", true, annotation},
    {"$defs", true, subschema_map},
    {"$dynamicAnchor", false, never},
    {"$dynamicRef", false, never},
    {"$id", true, text},
    {"$recursiveAnchor", false, never},
    {"$recursiveRef", false, never},
    {"$ref", true, text},
    {"$schema", true, dialect},
    {"$vocabulary", false, never},
    {"additionalItems", false, never},
    {"additionalProperties", true, subschema},
    {"allOf", true, subschemas},
    {"anyOf", false, subschemas},
    {"const", true, value},
    {"contains", false, subschema},
    {"contentEncoding", true, annotation},
    {"contentMediaType", true, annotation},
    {"contentSchema", true, annotation},
    {"default", true, annotation},
    {"definitions", true, subschema_map},
    {"dependencies", false, names_or_schemas},
    {"dependentRequired", false, names_map},
    {"dependentSchemas", false, subschema_map},
    {"deprecated", true, annotation},
    {"description", true, text},
    {"else", false, subschema},
    {"enum", true, values},
    {"enumNames", true, annotation},
    {"examples", true, annotation},
    {"exclusiveMaximum", true, number},
    {"exclusiveMinimum", true, number},
    {"format", true, annotation},  // an annotation since 2019-09
    {"if", false, subschema},
    {"items", true, subschema_not_array},
    {"maxContains", false, never},
    {"maxItems", true, count},
    {"maxLength", true, count},
    {"maxProperties", true, count},
    {"maximum", true, number},
    {"minContains", true, min_contains},
    {"minItems", true, count},
    {"minLength", true, count},
    {"minProperties", true, count},
    {"minimum", true, number},
    {"multipleOf", true, positive},
    {"not", false, subschema},
    {"oneOf", false, subschemas},
    {"pattern", true, regex},
    {"patternProperties", false, no_patterns},
    {"prefixItems", false, subschemas},
    {"properties", true, subschema_map},
    {"propertyNames", false, subschema},
    {"readOnly", true, annotation},
    {"required", true, names},
    {"then", false, subschema},
    {"title", true, text},
    {"type", true, types},
    {"unevaluatedItems", false, no_unevaluated},
    {"unevaluatedProperties", false, no_unevaluated},
    {"uniqueItems", true, boolean},
    {"writeOnly", true, annotation},
};

}  // namespace

const KeywordRule* find_keyword(std::string_view name) {
  const auto it = std::lower_bound(std::begin(kRules), std::end(kRules), name,
                                   [](const KeywordRule& rule, std::string_view n) { return rule.name < n; });
  return it != std::end(kRules) && it->name == name ? it : nullptr;
}

std::string verify_pattern(const std::string& pattern) {
  if (pattern.size() > 1024) return "longer than 1,024 bytes";
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 compiled(pattern, options);
  return compiled.ok() ? "" : compiled.error();
}

}  // namespace vmcp::tools
