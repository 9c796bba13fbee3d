#include "base/mask.h"

#include <array>
#include <cstdint>

namespace vmcp {
namespace {

constexpr std::string_view kMask = "[secret]";
constexpr std::size_t kMaxDepth = 16;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
bool token_char(char c) {
  return word_char(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

// One bit per letter that occurs, whatever its case.
constexpr std::uint32_t letters_of(std::string_view text) {
  std::uint32_t set = 0;
  for (const char c : text) {
    const char l = static_cast<char>(c | 0x20);
    if (l >= 'a' && l <= 'z') set |= 1u << (l - 'a');
  }
  return set;
}

struct SecretPart {
  constexpr SecretPart(const char* t) : text(t), letters(letters_of(t)) {}
  std::string_view text;
  std::uint32_t letters;
};
constexpr std::array<SecretPart, 15> kSecretParts = {
    "password", "passwd", "passphrase", "secret",    "token",  "authorization", "apikey",   "privatekey",
    "cookie",   "pwd",    "credential", "sessionid", "bearer", "accesskey",     "clientkey"};

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i)
    if (lower(text[i]) != prefix[i]) return false;
  return true;
}

std::size_t run_length(std::string_view text, bool (*wanted)(char)) {
  std::size_t n = 0;
  while (n < text.size() && wanted(text[n])) ++n;
  return n;
}

// In the next three, `cut`: the text goes on beyond its end, where the rest of a credential may be. What
// reaches the end is then taken for one, although its tail cannot be seen.

// "Bearer xyz", "Basic xyz": how many bytes of the scheme and blanks, then how many of the credential.
bool scheme_at(std::string_view text, bool cut, std::size_t& keep, std::size_t& drop) {
  for (const std::string_view scheme : {std::string_view("bearer"), std::string_view("basic")}) {
    if (!starts_with_ignoring_case(text, scheme)) continue;
    std::size_t i = scheme.size();
    while (i < text.size() && text[i] == ' ') ++i;
    const std::size_t length = run_length(text.substr(i), token_char);
    const bool whole = length >= 6 || (cut && length > 0 && i + length == text.size());
    if (i > scheme.size() && whole) {
      keep = i;
      drop = length;
      return true;
    }
  }
  return false;
}

// eyJ….….…: a JSON Web Token by its shape.
std::size_t jwt_length(std::string_view text, bool cut) {
  if (!text.starts_with("eyJ")) return 0;
  const std::size_t n = run_length(text, [](char c) { return word_char(c) || c == '.'; });
  if (cut && n == text.size()) return n;
  std::size_t dots = 0;
  for (const char c : text.substr(0, n)) dots += c == '.';
  return dots == 2 && n >= 24 ? n : 0;
}

std::size_t pem_length(std::string_view text) {
  if (!text.starts_with("-----BEGIN ")) return 0;
  const auto end = text.find("-----END ");
  if (end == std::string_view::npos) return text.size();
  const auto close = text.find("-----", end + 9);
  return close == std::string_view::npos ? text.size() : close + 5;
}

// The value behind a secret key: quoted, or up to white space or a separator.
std::size_t value_length(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '"' || text[0] == '\'') {
    std::size_t i = 1;
    while (i < text.size() && text[i] != text[0]) i += text[i] == '\\' ? 2 : 1;
    return std::min(i + 1, text.size());
  }
  return run_length(text, [](char c) {
    return c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ',' && c != ';' && c != '&' && c != '}' &&
           c != ')';
  });
}

// user:password@ behind "://": how much of the authority is user info.
std::size_t userinfo_length(std::string_view text, bool cut) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '@') return i;
    if (text[i] == '/' || text[i] == ' ' || text[i] == '"' || text[i] == '?' || text[i] == '#') return 0;
  }
  return cut ? text.size() : 0;
}

class TextMasker {
 public:
  TextMasker(std::string_view in, bool cut) : in_(in), cut_(cut) { out_.reserve(in.size()); }

  std::string run() {
    while (at_ < in_.size()) {
      if (!word_char(in_[at_]) || in_[at_] == '-') {
        if (take(pem_length(rest()))) continue;
        if (in_[at_] == ':' && rest().starts_with("://")) {
          copy(3);
          if (const std::size_t n = userinfo_length(rest(), cut_); n > 0) take(n);
          continue;
        }
        if (!word_char(in_[at_])) {
          copy(1);
          continue;
        }
      }
      word();
    }
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return in_.substr(at_); }
  void copy(std::size_t n) {
    out_.append(in_, at_, n);
    at_ += n;
  }
  bool take(std::size_t n) {
    if (n == 0) return false;
    out_ += kMask;
    at_ += n;
    return true;
  }

  void word() {
    std::size_t keep = 0, drop = 0;
    if (scheme_at(rest(), cut_, keep, drop)) {
      copy(keep);
      take(drop);
      return;
    }
    if (take(jwt_length(rest(), cut_))) return;
    const std::size_t length = run_length(rest(), word_char);
    const bool secret = is_secret_key(rest().substr(0, length));
    copy(length);
    if (!secret) return;
    // key=value, key: value, "key":"value"
    std::size_t i = at_;
    if (i < in_.size() && (in_[i] == '"' || in_[i] == '\'')) ++i;
    while (i < in_.size() && in_[i] == ' ') ++i;
    if (i >= in_.size() || (in_[i] != '=' && in_[i] != ':')) return;
    ++i;
    while (i < in_.size() && in_[i] == ' ') ++i;
    copy(i - at_);
    if (scheme_at(rest(), cut_, keep, drop)) copy(keep);  // Authorization: Bearer xyz
    take(value_length(rest()));
  }

  std::string_view in_;
  bool cut_;
  std::string out_;
  std::size_t at_ = 0;
};

void append_masked(std::string& out, const Json& value, std::size_t limit, std::size_t depth) {
  if (depth > kMaxDepth) {
    out += "\"[deep]\"";
  } else if (out.size() > limit) {
    out += "\"[cut]\"";
  } else if (value.is_object()) {
    out += '{';
    for (auto it = value.begin(); it != value.end(); ++it) {
      append_json_key(out, mask_text(it.key(), 256));
      if (is_secret_key(it.key()))
        append_json_string(out, kMask);
      else
        append_masked(out, it.value(), limit, depth + 1);
      if (out.size() > limit) break;
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const Json& element : value) {
      if (!first) out += ',';
      first = false;
      append_masked(out, element, limit, depth + 1);
      if (out.size() > limit) break;
    }
    out += ']';
  } else if (value.is_string()) {
    append_json_string(out, mask_text(value.get_ref<const std::string&>(), 2048));
  } else {
    out += dump_json(value);
  }
}

}  // namespace

bool is_secret_key(std::string_view key) {
  if (key.size() < 3 || key.size() > 128) return false;
  // Most keys lack a letter that every secret one of a kind has: that is cheaper to see than to search.
  const std::uint32_t letters = letters_of(key);
  std::string plain;  // lower case without separators
  for (const SecretPart& part : kSecretParts) {
    if ((letters & part.letters) != part.letters) continue;
    if (plain.empty())
      for (const char c : key)
        if (c != '_' && c != '-' && c != '.') plain += lower(c);
    if (plain.find(part.text) != std::string::npos) return true;
  }
  return false;
}

std::string mask_text(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return TextMasker(text, false).run();
  std::string out = TextMasker(text.substr(0, max_bytes), true).run();
  out += "…[cut]";
  return out;
}

void append_masked_json(std::string& out, const Json& value, std::size_t max_bytes) {
  append_masked(out, value, out.size() + max_bytes, 0);
}

}  // namespace vmcp
