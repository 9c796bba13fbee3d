#include "http/syntax.h"

#include <array>

namespace vmcp::http {
namespace {

enum : unsigned char { kToken = 1, kValue = 2, kTarget = 4 };

// One table look-up per byte: the head is scanned once for every request.
constexpr std::array<unsigned char, 256> make_classes() {
  std::array<unsigned char, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    unsigned char bits = 0;
    if (alnum || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos) {
      bits |= kToken;
    }
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kValue;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTarget;
    table[static_cast<std::size_t>(c)] = bits;
  }
  return table;
}

constexpr std::array<unsigned char, 256> kClasses = make_classes();

bool all_in(std::string_view s, unsigned char bit) {
  for (const char c : s) {
    if ((kClasses[static_cast<unsigned char>(c)] & bit) == 0) return false;
  }
  return true;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

bool is_token(std::string_view s) {
  return !s.empty() && all_in(s, kToken);
}
bool is_field_value(std::string_view s) {
  return all_in(s, kValue);
}
bool is_target(std::string_view s) {
  return !s.empty() && all_in(s, kTarget);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trim_blanks(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

}  // namespace vmcp::http
