// vmcp/uri.hpp: a URI that was asked for, taken apart by the template that it matches.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace vmcp {

// What a resource's function receives: the URI, and the values of its template's variables, percent-decoded.
class uri {
 public:
  explicit uri(std::string_view text) : text_(text) {}

  std::string_view text() const noexcept { return text_; }
  // The value of {name}; empty when the template has no such variable.
  std::string operator[](const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::string() : found->second;
  }

  // Takes `text` apart by `pattern`, whose variables are {name} (one path segment, not empty) or {+name}
  // (what is left up to the next literal). False when it does not match.
  bool match(std::string_view pattern) {
    variables_.clear();
    std::string_view rest = text_;
    while (!pattern.empty()) {
      const std::size_t open = pattern.find('{');
      const std::string_view literal = pattern.substr(0, open);
      if (rest.substr(0, literal.size()) != literal) return false;
      rest.remove_prefix(literal.size());
      if (open == std::string_view::npos) return rest.empty();
      const std::size_t close = pattern.find('}', open);
      if (close == std::string_view::npos) return false;
      std::string_view name = pattern.substr(open + 1, close - open - 1);
      pattern.remove_prefix(close + 1);
      const bool any = !name.empty() && name.front() == '+';
      if (any) name.remove_prefix(1);
      const std::string_view value = take(rest, pattern, any);
      if (value.empty()) return false;
      variables_[std::string(name)] = decode(value);
      rest.remove_prefix(value.size());
    }
    return rest.empty();
  }

 private:
  // The longest value that leaves room for the literal that follows.
  static std::string_view take(std::string_view rest, std::string_view pattern, bool any) {
    const std::string_view next = pattern.substr(0, pattern.find('{'));
    std::string_view value = any ? rest : rest.substr(0, rest.find_first_of("/?#"));
    if (next.empty()) return value;
    const std::size_t at = any ? rest.rfind(next) : rest.find(next);
    return at == std::string_view::npos || at > value.size() ? std::string_view{} : value.substr(0, at);
  }

  static int hex(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  static std::string decode(std::string_view value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const int high = i + 2 < value.size() && value[i] == '%' ? hex(value[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex(value[i + 2]);
      if (low < 0) {
        out.push_back(value[i]);
      } else {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
      }
    }
    return out;
  }

  std::string_view text_;
  std::map<std::string, std::string> variables_;
};

}  // namespace vmcp
