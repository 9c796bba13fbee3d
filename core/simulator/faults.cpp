#include "simulator/faults.h"

#include "base/glob.h"

namespace vmcp::simulator {
namespace {

constexpr std::int64_t kLongestDelay = 10 * 60'000;
constexpr std::int64_t kMostUses = 1'000'000;

Error bad(const std::string& what) {
  return make_error(Code::invalid_argument,
                    "fault rule: " + what +
                        "; a rule is {\"method\":glob,\"path\":glob,\"count\":n,\"status\":code,\"body\":any,"
                        "\"headers\":{},\"delay_ms\":n,\"hang_ms\":n,\"cut\":\"before\"|\"after\"}");
}

// A whole number between 0 and `most`; false when the value is anything else.
bool read_number(const Json& value, std::int64_t most, std::int64_t& out) {
  if (!value.is_number_integer()) return false;
  out = value.get<std::int64_t>();
  return out >= 0 && out <= most;
}

bool read_headers(const Json& value, Pairs& out) {
  if (!value.is_object()) return false;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return false;
    out.emplace_back(name, text.get<std::string>());
  }
  return true;
}

bool read_cut(const Json& value, FaultRule& rule) {
  if (value == true || value == "before") return rule.cut_before = true;
  if (value == "after") return rule.cut_after = true;
  return false;
}

bool read_field(const std::string& key, const Json& value, FaultRule& rule) {
  std::int64_t n = 0;
  if (key == "method" && value.is_string()) {
    rule.method = value.get<std::string>();
  } else if (key == "path" && value.is_string()) {
    rule.path = value.get<std::string>();
  } else if (key == "count" && read_number(value, kMostUses, n) && n > 0) {
    rule.left = static_cast<int>(n);
  } else if (key == "status" && read_number(value, 599, n) && n >= 200) {
    rule.status = static_cast<int>(n);
  } else if (key == "body") {
    rule.body = value.is_string() ? value.get<std::string>() : dump_json(value);
  } else if (key == "headers") {
    return read_headers(value, rule.headers);
  } else if (key == "delay_ms" && read_number(value, kLongestDelay, n)) {
    rule.delay = milliseconds(n);
  } else if (key == "hang_ms" && read_number(value, kLongestDelay, n)) {
    rule.hang = milliseconds(n);
  } else if (key == "cut") {
    return read_cut(value, rule);
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<FaultRule> FaultPlan::parse(const Json& json) {
  if (!json.is_object()) return bad("not an object");
  FaultRule rule;
  for (const auto& [key, value] : json.items()) {
    if (!read_field(key, value, rule)) return bad("'" + key + "' is unknown or has a bad value");
  }
  const bool does_something = rule.status != 0 || rule.delay.count() > 0 || rule.hang.count() > 0 ||
                              rule.cut_before || rule.cut_after;
  if (!does_something) return bad("it names no status, delay_ms, hang_ms or cut");
  return rule;
}

std::optional<FaultRule> FaultPlan::take(const Request& request) {
  for (auto it = rules_.begin(); it != rules_.end(); ++it) {
    if (!glob_match(it->method, request.method)) continue;
    if (!glob_match(it->path, request.path) && !glob_match(it->path, request.target())) continue;
    FaultRule hit = *it;
    if (--it->left <= 0) rules_.erase(it);
    return hit;
  }
  return std::nullopt;
}

}  // namespace vmcp::simulator
