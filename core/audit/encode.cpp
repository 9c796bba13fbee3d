#include "audit/encode.h"

#include <algorithm>

#include "audit/masker.h"
#include "base/json.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kMaxTargets = 200;  // as many as one call may have
constexpr std::size_t kShort = 128;
constexpr std::size_t kMedium = 512;
constexpr std::size_t kLong = 2048;
constexpr std::size_t kMaxMembers = 1024;
// "ts":"2026-02-03T10:11:12.345Z" is what every body begins with.
constexpr std::string_view kTimeKey = "\"ts\":\"";
constexpr std::size_t kTimeBytes = 24;

const char* event_name(Event event) {
  switch (event) {
    case Event::intent:
      return "intent";
    case Event::accepted:
      return "accepted";
    case Event::outcome:
      return "outcome";
    case Event::refused:
      return "refused";
  }
  return "refused";
}

void append_time(std::string& out, WallTime at) {
  out += kTimeKey;
  append_iso8601(out, at);
  out += '"';
}

// ,"key":"value" with a fixed key; nothing for an empty value.
void append_field(std::string& out, std::string_view comma_and_key, std::string_view value, std::size_t max) {
  if (value.empty()) return;
  out += comma_and_key;
  append_masked_string(out, value, max);
}

// The Python server's fields are always there, so that its readers need no case for a missing one.
void append_or_null(std::string& out, std::string_view comma_and_key, std::string_view value,
                    std::size_t max) {
  out += comma_and_key;
  if (value.empty())
    out += "null";
  else
    append_masked_string(out, value, max);
}

void append_targets(std::string& out, const std::vector<std::string_view>& targets) {
  if (targets.empty()) return;
  out += ",\"targets\":[";
  const std::size_t shown = std::min(targets.size(), kMaxTargets);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ',';
    append_masked_string(out, targets[i], kShort);
  }
  if (shown < targets.size()) out += ",\"and " + std::to_string(targets.size() - shown) + " more\"";
  out += ']';
}

}  // namespace

std::string encode_body(const Record& r, WallTime at, std::size_t max_args_bytes) {
  std::string out;
  out.reserve(512 + std::min(r.args_json.size(), max_args_bytes));
  append_time(out, at);
  out += ",\"event\":\"";
  out += event_name(r.event);
  out += '"';
  append_field(out, ",\"request_id\":", r.request_id, kShort);
  append_or_null(out, ",\"tool\":", r.tool, kShort);
  // Whether an intent succeeds is not known yet; false would count it as a failure.
  out += r.event == Event::intent ? ",\"ok\":null" : r.ok ? ",\"ok\":true" : ",\"ok\":false";
  if (r.duration_ms >= 0) {
    out += ",\"duration_ms\":";
    append_json_int(out, r.duration_ms);
  }
  out += ",\"args\":";
  append_masked_args(out, r.args_json, std::min(max_args_bytes, kMaxArgsBytes));
  append_or_null(out, ",\"error\":", r.error, kLong);
  append_or_null(out, ",\"host\":", r.host, kShort);
  append_or_null(out, ",\"role\":", r.role, kShort);
  append_field(out, ",\"identity\":", r.identity, kShort);
  append_field(out, ",\"method\":", r.method, kShort);
  append_field(out, ",\"step\":", r.step, kShort);
  append_field(out, ",\"rule\":", r.rule, kMedium);
  append_field(out, ",\"policy\":", r.policy, kShort);
  append_field(out, ",\"approver\":", r.approver, kShort);
  append_field(out, ",\"approval\":", r.approval, kShort);
  append_field(out, ",\"code\":", r.code, kShort);
  append_field(out, ",\"peer\":", r.peer, kShort);
  if (!r.plugin_members.empty() && r.plugin_members.size() <= kMaxMembers) {
    out += ',';
    out += r.plugin_members;
  }
  append_targets(out, r.targets);
  append_field(out, ",\"task\":", r.task, kShort);
  append_field(out, ",\"trace_id\":", r.trace_id, kShort);
  return out;
}

std::string encode_note(std::string_view note, std::string_view previous, WallTime at) {
  std::string out;
  append_time(out, at);
  out += ",\"event\":\"journal\"";
  append_field(out, ",\"previous\":", previous, kShort);
  out += ",\"note\":";
  append_masked_string(out, note, kMedium);
  return out;
}

std::string with_time(std::string_view body, WallTime at) {
  std::string out;
  append_time(out, at);
  out += body.substr(kTimeKey.size() + kTimeBytes + 1);
  return out;
}

}  // namespace vmcp::audit
