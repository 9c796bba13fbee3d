// A record as a line for people.
#include <cstdint>

#include "audit/browse.h"

namespace vmcp::audit {
namespace {

// Without control characters, also those of two bytes (U+0080 to U+009F) and the ones that turn text around:
// what a caller sent must not steer the operator's terminal.
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const auto third = static_cast<unsigned char>(i + 2 < text.size() ? text[i + 2] : 0);
    if (c < 0x20 || c == 0x7f) {
      out += '?';
    } else if (c == 0xc2 && next >= 0x80 && next <= 0x9f) {
      out += '?';
      ++i;
    } else if (c == 0xe2 && ((next == 0x80 && third >= 0xa8 && third <= 0xae) ||
                             (next == 0x81 && third >= 0xa6 && third <= 0xa9))) {
      out += '?';
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string text_of(const Json& record, const char* key) {
  const auto it = record.find(key);
  return it != record.end() && it->is_string() ? plain(it->get_ref<const std::string&>()) : std::string();
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
      if (target.is_string()) add_word(out, plain(target.get_ref<const std::string&>()));
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
