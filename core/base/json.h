// JSON as the host uses it: a guarded parser for what comes from outside, and writers that append
// straight to a string for what leaves on the hot path (no tree is built for answers or audit lines).
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

// Compiled once, in json.cpp: instantiating it in every file costs each of them most of a second.
extern template class nlohmann::basic_json<>;

namespace vmcp {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t max_bytes = 1u << 20;
  std::size_t max_depth = 32;
  std::size_t max_values = 100'000;
  bool refuse_case_variants =
      true;  // {"name":…,"Name":…} in one object: one reader's key is another's smuggling
};

// Parses one JSON value. Refuses: trailing bytes, invalid UTF-8, duplicate keys (also when written with
// escapes), keys that differ only in case (if asked), depth/size/count over the limits, integers outside
// 64 bits, NaN/Infinity. The error text names the reason and the byte offset. Never throws.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// Parses text that we produced ourselves or that the plugin/vCenter border already bounded:
// same guards, larger limits, case variants allowed.
Result<Json> parse_trusted_json(std::string_view text, std::size_t max_bytes = 64u << 20);

// dump() that never throws: invalid UTF-8 becomes U+FFFD.
std::string dump_json(const Json& value);

// "text" with quotes and escapes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_int(std::string& out, std::int64_t value);
// ,"key":  (comma left out when `out` ends in '{').
void append_json_key(std::string& out, std::string_view key);

}  // namespace vmcp
