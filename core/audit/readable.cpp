// A record as a line for people.
#include <cstdint>

#include "audit/browse.h"
#include "base/one_line.h"

namespace vmcp::audit {
namespace {

std::string text_of(const Json& record, const char* key) {
  const auto it = record.find(key);
  return it != record.end() && it->is_string() ? one_line(it->get_ref<const std::string&>()) : std::string();
}

void add_word(std::string& out, const std::string& word) {
  if (word.empty()) return;
  if (!out.empty()) out += ' ';
  out += word;
}

std::string verdict_of(const Json& record) {
  const std::string event = text_of(record, "event");
  if (event == "refused") return "REFUSED";
  if (event != "outcome") return event;
  const auto ok = record.find("ok");
  if (ok != record.end() && ok->is_boolean() && ok->get<bool>()) return "ok";
  return text_of(record, "code") == "unknown" ? "UNKNOWN" : "FAILED";
}

}  // namespace

std::string readable(const Json& record) {
  std::string out = text_of(record, "ts");
  std::string verdict = verdict_of(record);
  verdict.resize(std::max<std::size_t>(verdict.size(), 8), ' ');
  add_word(out, verdict);
  if (text_of(record, "event") == "journal") {
    add_word(out, text_of(record, "note"));
    return out;
  }
  const std::string identity = text_of(record, "identity"), role = text_of(record, "role");
  add_word(out, (identity.empty() ? "(nobody)" : identity) + (role.empty() ? "" : "/" + role));
  const std::string tool = text_of(record, "tool");
  add_word(out, tool.empty() ? text_of(record, "method") : tool);
  if (const auto targets = record.find("targets"); targets != record.end() && targets->is_array())
    for (const Json& target : *targets)
      if (target.is_string()) add_word(out, one_line(target.get_ref<const std::string&>()));
  if (const std::string host = text_of(record, "host"); !host.empty()) add_word(out, "@" + host);
  add_word(out, text_of(record, "task"));
  if (const auto ms = record.find("duration_ms"); ms != record.end() && ms->is_number_integer())
    add_word(out, std::to_string(ms->get<std::int64_t>()) + " ms");
  if (const auto n = record.find("repeated"); n != record.end() && n->is_number_unsigned())
    add_word(out, "and " + std::to_string(n->get<std::uint64_t>()) + " more like it");
  if (const std::string request = text_of(record, "request_id"); !request.empty())
    add_word(out, "[" + request + "]");
  std::string why = text_of(record, "step");
  add_word(why, text_of(record, "rule"));
  add_word(why, text_of(record, "code"));
  if (!why.empty()) add_word(out, "(" + why + ")");
  if (const std::string error = text_of(record, "error"); !error.empty()) out += ": " + error;
  return out;
}

}  // namespace vmcp::audit
