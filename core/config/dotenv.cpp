#include "config/dotenv.h"

#include <algorithm>

namespace vmcp::config {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool starts_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool in_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& file,
         const std::function<bool(std::string_view)>& takes_json, Problems& problems)
      : text_(text), file_(file), takes_json_(takes_json), problems_(problems) {}

  std::vector<EnvEntry> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ += 3, line_start_ = 3;
    while (!done()) {
      if (!parse_line()) skip_line();
    }
    return std::move(entries_);
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\n' : text_[at_]; }
  int column() const { return static_cast<int>(at_ - line_start_) + 1; }
  void advance() {
    if (text_[at_++] == '\n') {
      ++line_;
      line_start_ = at_;
    }
  }
  void skip_blanks() {
    while (!done() && is_blank(peek())) advance();
  }
  void skip_line() {
    while (!done() && peek() != '\n') advance();
    if (!done()) advance();
  }
  bool fail(int line, int column, std::string what, std::string fix, std::string variable = {}) {
    problems_.push_back(
        {Origin{Layer::env_file, file_, line, column, std::move(variable)}, std::move(what), std::move(fix)});
    return false;
  }

  // False: a problem was added and the rest of the current line is to be skipped.
  bool parse_line() {
    skip_blanks();
    if (peek() == '\n' || peek() == '#') {
      skip_line();
      return true;
    }
    EnvEntry entry;
    if (!parse_name(entry)) return false;
    entry.value_line = line_;
    entry.value_column = column();
    if (!parse_value(entry)) return false;
    const auto same = [&](const EnvEntry& e) { return e.name == entry.name; };
    if (const auto it = std::find_if(entries_.begin(), entries_.end(), same); it != entries_.end()) {
      fail(entry.line, entry.column, entry.name + " is set twice, first in line " + std::to_string(it->line),
           "keep one of the two lines", entry.name);
      return true;
    }
    entries_.push_back(std::move(entry));
    return true;
  }

  bool parse_name(EnvEntry& entry) {
    if (text_.substr(at_).starts_with("export") && at_ + 6 < text_.size() && is_blank(text_[at_ + 6])) {
      at_ += 6;
      skip_blanks();
    }
    entry.line = line_;
    entry.column = column();
    if (!starts_name(peek()))
      return fail(line_, column(), "a line must be NAME=value, a comment or empty",
                  "write NAME=value, or put # at the start of the line");
    while (!done() && in_name(peek())) entry.name += peek(), advance();
    skip_blanks();
    if (peek() != '=')
      return fail(line_, column(), "no '=' after the name " + entry.name.substr(0, 64), "write NAME=value");
    advance();
    skip_blanks();
    return true;
  }

  bool parse_value(EnvEntry& entry) {
    if (peek() == '\'' || peek() == '"') return parse_quoted(entry, peek());
    if ((peek() == '{' || peek() == '[') && takes_json_(entry.name)) return parse_json_value(entry);
    // A '#' opens a comment only after white space (or at the value's very start after white space):
    // passwords may contain it.
    bool after_blank = at_ > 0 && is_blank(text_[at_ - 1]);
    while (!done() && peek() != '\n') {
      const char c = peek();
      if (c == '#' && after_blank) break;
      if (!plain(c)) return fail_control(entry);
      after_blank = is_blank(c);
      entry.value += c;
      advance();
    }
    while (!entry.value.empty() && is_blank(entry.value.back())) entry.value.pop_back();
    skip_line();
    return true;
  }

  static bool plain(char c) { return static_cast<unsigned char>(c) >= 0x20 || is_blank(c) || c == '\n'; }
  bool fail_control(const EnvEntry& entry) {
    return fail(line_, column(), "a control character in the value of " + entry.name, "remove it",
                entry.name);
  }

  bool parse_quoted(EnvEntry& entry, char quote) {
    advance();
    while (true) {
      if (done())
        return fail(entry.value_line, entry.value_column, "the quote before this value is never closed",
                    std::string("end the value of ") + entry.name + " with " + quote, entry.name);
      char c = peek();
      if (!plain(c)) return fail_control(entry);
      advance();
      if (c == quote) break;
      if (c == '\r' && peek() == '\n') continue;  // a file from Windows
      if (quote == '"' && c == '\\' && !done()) {
        const char e = peek();
        const std::string_view escapes = "n\nt\tr\r\"\"\\\\";
        const auto found = escapes.find(e);
        if (found != std::string_view::npos && found % 2 == 0) {
          c = escapes[found + 1];
          advance();
        }
      }
      entry.value += c;
    }
    skip_blanks();
    if (peek() != '\n' && peek() != '#')
      return fail(line_, column(), "text after the closing quote of " + entry.name,
                  "put the whole value inside the quotes, or # before a comment", entry.name);
    skip_line();
    return true;
  }

  // Until the brackets close, over lines if need be. Only brackets and strings matter here; whether it is
  // JSON is judged by the one who uses it.
  bool parse_json_value(EnvEntry& entry) {
    int depth = 0;
    bool in_string = false;
    while (true) {
      if (done())
        return fail(entry.value_line, entry.value_column,
                    "the JSON value of " + entry.name + " starts here and its brackets never close",
                    "close the brackets", entry.name);
      const char c = peek();
      if (!plain(c)) return fail_control(entry);
      entry.value += c;
      advance();
      if (in_string) {
        if (c == '\\' && !done())
          entry.value += peek(), advance();
        else if (c == '"')
          in_string = false;
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        break;
      }
    }
    skip_blanks();
    if (peek() != '\n' && peek() != '#')
      return fail(line_, column(), "text after the JSON value of " + entry.name,
                  "end the line after the closing bracket, or put # before a comment", entry.name);
    skip_line();
    return true;
  }

  std::string_view text_;
  const std::string& file_;
  const std::function<bool(std::string_view)>& takes_json_;
  Problems& problems_;
  std::vector<EnvEntry> entries_;
  std::size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<EnvEntry> parse_dotenv(std::string_view text, const std::string& file_name,
                                   const std::function<bool(std::string_view)>& takes_json,
                                   Problems& problems) {
  if (text.size() > kMaxConfigBytes) {
    problems.push_back({Origin{Layer::env_file, file_name, 0, 0, {}},
                        "the file is larger than " + std::to_string(kMaxConfigBytes) + " bytes",
                        "an .env file holds settings only"});
    return {};
  }
  return Parser(text, file_name, takes_json, problems).run();
}

}  // namespace vmcp::config
