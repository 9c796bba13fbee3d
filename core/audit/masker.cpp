#include "audit/masker.h"

#include <array>

#include "base/json.h"
#include "base/mask.h"
#include "base/secret.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kMaxParsedBytes = 4u << 20;
constexpr std::size_t kMaxPlainString = 2048;  // where append_masked_json() cuts
constexpr int kMaxDepth = 16;

// What a byte can begin, as bits, so that one pass over a text tells whether it needs a closer look.
enum : unsigned char {
  kBlank = 1,    // a scheme and its credential, a PEM block
  kDot = 2,      // a JWT
  kAssigns = 4,  // key: value, key=value, user information in a URL
  kEscaped = 8,  // needs an escape, or a look at its UTF-8
};

constexpr std::array<unsigned char, 256> kClasses = [] {
  std::array<unsigned char, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') classes[c] = kEscaped;
  classes[' '] = kBlank;
  classes['.'] = kDot;
  classes[':'] = classes['='] = kAssigns;
  return classes;
}();

unsigned classes_of(std::string_view text) {
  unsigned all = 0;
  for (const char c : text) all |= kClasses[static_cast<unsigned char>(c)];
  return all;
}

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

// mask_text() changes a text only around: a scheme and its credential, a PEM block (both hold a blank), a JWT
// (two dots), a secret key before ':' or '=', user information in a URL (a ':').
bool holds_secret_of(unsigned classes, std::string_view text) {
  if ((classes & (kBlank | kDot | kAssigns)) == 0) return false;
  if ((classes & kDot) != 0 && text.find("eyJ") != std::string_view::npos) return true;
  if ((classes & kAssigns) != 0) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != ':' && text[i] != '=') continue;
      if (follows_secret_key(text, i)) return true;
      if (text.substr(i).starts_with("://") && text.find('@', i) != std::string_view::npos) return true;
    }
  }
  return (classes & kBlank) != 0 &&
         (contains_ignoring_case(text, "bearer") || contains_ignoring_case(text, "basic") ||
          text.find("-----BEGIN ") != std::string_view::npos);
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
        unsigned classes = 0;
        return string(text, classes) && text.size() <= kMaxPlainString && !holds_secret_of(classes, text);
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
      unsigned classes = 0;
      if (!string(key, classes) || key.size() > 128 || holds_secret_of(classes, key) || !eat(':'))
        return false;
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
  bool string(std::string_view& text, unsigned& classes) {
    if (at_ >= in_.size() || in_[at_] != '"') return false;
    const std::size_t begin = at_ + 1;
    std::size_t end = begin;
    for (; end < in_.size(); ++end) {
      const unsigned char of_byte = kClasses[static_cast<unsigned char>(in_[end])];
      if (of_byte == kEscaped) break;
      classes |= of_byte;
    }
    if (end >= in_.size() || in_[end] != '"') return false;
    text = in_.substr(begin, end - begin);
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

bool may_hold_secret(std::string_view text) {
  return holds_secret_of(classes_of(text), text);
}

void append_masked_string(std::string& out, std::string_view text, std::size_t max_bytes) {
  const unsigned classes = classes_of(text.substr(0, max_bytes));
  if (text.size() > max_bytes || holds_secret_of(classes, text)) {
    append_json_string(out, mask_text(text, max_bytes));
  } else if ((classes & kEscaped) != 0) {
    append_json_string(out, text);
  } else {
    out += '"';
    out += text;
    out += '"';
  }
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
