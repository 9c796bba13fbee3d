#include "audit/masker.h"

#include "base/json.h"
#include "base/mask.h"
#include "base/secret.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kMaxParsedBytes = 4u << 20;
constexpr std::size_t kMaxPlainString = 2048;  // where append_masked_json() cuts
constexpr int kMaxDepth = 16;

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool contains_ignoring_case(std::string_view text, std::string_view lower_case) {
  for (std::size_t i = 0; i + lower_case.size() <= text.size(); ++i) {
    std::size_t k = 0;
    while (k < lower_case.size() && (text[i + k] | 0x20) == lower_case[k]) ++k;
    if (k == lower_case.size()) return true;
  }
  return false;
}

// Is text[at], a ':' or '=', behind a secret key (also quoted, also with blanks)?
bool follows_secret_key(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end > 0 && text[end - 1] == ' ') --end;
  if (end > 0 && (text[end - 1] == '"' || text[end - 1] == '\'')) --end;
  std::size_t begin = end;
  while (begin > 0 && word_char(text[begin - 1])) --begin;
  return is_secret_key(text.substr(begin, end - begin));
}

// Checks one JSON text and copies it without white space. Gives up on the first thing that is not plain.
class PlainCopier {
 public:
  PlainCopier(std::string& out, std::string_view in, std::size_t limit) : out_(out), in_(in), limit_(limit) {}

  bool run() {
    if (!value(0)) return false;
    skip_space();
    return at_ == in_.size() && out_.size() <= limit_;
  }

 private:
  void skip_space() {
    while (at_ < in_.size() && (in_[at_] == ' ' || in_[at_] == '\n' || in_[at_] == '\t' || in_[at_] == '\r'))
      ++at_;
  }
  bool eat(char c) {
    skip_space();
    if (at_ >= in_.size() || in_[at_] != c) return false;
    ++at_;
    out_ += c;
    return true;
  }

  bool value(int depth) {
    if (depth > kMaxDepth || out_.size() > limit_) return false;
    skip_space();
    if (at_ >= in_.size()) return false;
    switch (in_[at_]) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"': {
        std::string_view text;
        return string(text) && text.size() <= kMaxPlainString && !may_hold_secret(text);
      }
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool object(int depth) {
    eat('{');
    skip_space();
    if (eat('}')) return true;
    do {
      skip_space();
      std::string_view key;
      if (!string(key) || key.size() > 128 || may_hold_secret(key) || !eat(':')) return false;
      const std::size_t before = out_.size();
      if (!value(depth + 1)) return false;
      if (is_secret_key(key)) {
        out_.resize(before);
        out_ += '"';
        out_ += Secret::kMask;
        out_ += '"';
      }
    } while (eat(','));
    return eat('}');
  }

  bool array(int depth) {
    eat('[');
    if (eat(']')) return true;
    do {
      if (!value(depth + 1)) return false;
    } while (eat(','));
    return eat(']');
  }

  // Printable ASCII without escapes; copied with its quotes.
  bool string(std::string_view& text) {
    if (at_ >= in_.size() || in_[at_] != '"') return false;
    std::size_t end = at_ + 1;
    while (end < in_.size() && in_[end] >= 0x20 && in_[end] < 0x7F && in_[end] != '"' && in_[end] != '\\')
      ++end;
    if (end >= in_.size() || in_[end] != '"') return false;
    text = in_.substr(at_ + 1, end - at_ - 1);
    out_.append(in_, at_, end + 1 - at_);
    at_ = end + 1;
    return true;
  }

  bool literal(std::string_view word) {
    if (!in_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    out_ += word;
    return true;
  }

  std::size_t digits(std::size_t from) const {
    std::size_t end = from;
    while (end < in_.size() && in_[end] >= '0' && in_[end] <= '9') ++end;
    return end - from;
  }

  // Integers that surely fit into 64 bits, and decimals without exponent.
  bool number() {
    std::size_t end = at_;
    if (end < in_.size() && in_[end] == '-') ++end;
    const std::size_t whole = digits(end);
    if (whole == 0 || whole > 18 || (whole > 1 && in_[end] == '0')) return false;
    end += whole;
    if (end < in_.size() && in_[end] == '.') {
      const std::size_t fraction = digits(end + 1);
      if (fraction == 0 || fraction > 18) return false;
      end += 1 + fraction;
    }
    if (end < in_.size() && (in_[end] == 'e' || in_[end] == 'E')) return false;
    out_.append(in_, at_, end - at_);
    at_ = end;
    return true;
  }

  std::string& out_;
  std::string_view in_;
  std::size_t at_ = 0;
  std::size_t limit_;
};

}  // namespace

// mask_text() changes a text only around: a scheme and its credential, a PEM block (both hold a blank), a JWT
// (two dots), a secret key before ':' or '=', user information in a URL (a ':').
bool may_hold_secret(std::string_view text) {
  bool blank = false;
  std::size_t dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (word_char(c)) continue;
    if (c == ' ') {
      blank = true;
    } else if (c == '.') {
      ++dots;
    } else if (c == ':' || c == '=') {
      if (follows_secret_key(text, i)) return true;
      if (text.substr(i).starts_with("://") && text.find('@', i) != std::string_view::npos) return true;
    }
  }
  if (dots >= 2 && text.find("eyJ") != std::string_view::npos) return true;
  return blank && (contains_ignoring_case(text, "bearer") || contains_ignoring_case(text, "basic") ||
                   text.find("-----BEGIN ") != std::string_view::npos);
}

void append_masked_string(std::string& out, std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes && !may_hold_secret(text))
    append_json_string(out, text);
  else
    append_json_string(out, mask_text(text, max_bytes));
}

bool append_plain_args(std::string& out, std::string_view json, std::size_t max_bytes) {
  const std::size_t before = out.size();
  if (PlainCopier(out, json, before + max_bytes).run()) return true;
  out.resize(before);
  return false;
}

void append_masked_args(std::string& out, std::string_view json, std::size_t max_bytes) {
  if (json.empty()) {
    out += "{}";
    return;
  }
  if (json.size() <= max_bytes && append_plain_args(out, json, max_bytes)) return;
  if (const auto parsed = parse_trusted_json(json, kMaxParsedBytes))
    append_masked_json(out, *parsed, max_bytes);
  else
    append_json_string(out, "[unreadable]");
}

}  // namespace vmcp::audit
