#include "config/table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vmcp::config {
namespace {

constexpr std::string_view kEnvironmentPrefix = "VMCP__";
constexpr std::size_t kMaxListItems = 1000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Edits (insert, drop, change, swap of neighbours) that turn a into b.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two, one(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) one[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({one[j] + 1, now[j - 1] + 1, one[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], two[j - 2] + 1);
    }
    two = one;
    one = now;
  }
  return one[b.size()];
}

std::string range_text(double value) {
  char out[32];
  return std::string(out, std::to_chars(out, out + sizeof out, value).ptr);
}

std::string range_text(const Row& row) {
  return range_text(row.least) + " to " + range_text(row.most);
}

std::string choices_text(std::string_view choices) {
  std::string out;
  for (const char c : choices) c == '|' ? out += ", " : out += c;
  return out;
}

// Reads one node into one row's value; every miss says what the row takes.
class Reader {
 public:
  Reader(const Row& row, const Node& node, Value& out, Problems& problems)
      : row_(row), node_(node), out_(out), problems_(problems) {}

  bool read() {
    switch (row_.type) {
      case Type::text:
        return take_text() && checked();
      case Type::choice:
        return take_text() && take_choice() && checked();
      case Type::boolean:
        return take_boolean();
      case Type::integer:
      case Type::number:
      case Type::seconds:
        return take_number() && checked();
      case Type::list:
        return take_list() && checked();
      case Type::tree:
        break;
    }
    return false;
  }

 private:
  bool fail(std::string what, std::string fix) {
    problems_.push_back({node_.where, std::string(row_.key) + ": " + std::move(what), std::move(fix)});
    return false;
  }
  bool wrong_kind(const char* wanted) {
    const bool quoted_value = node_.kind == Node::Kind::text;
    return fail(std::string("takes ") + wanted + ", and this is " + kind_name(node_.kind),
                quoted_value ? std::string("write it without quotes") : std::string("write ") + wanted);
  }
  std::string shown() const { return row_.secret ? "the value" : in_quotes(node_.text); }

  bool checked() {
    if (row_.check == nullptr) return true;
    Fault fault = row_.check(out_);
    return fault.none() || fail(std::move(fault.what), std::move(fault.fix));
  }

  bool take_text() {
    if (node_.kind != Node::Kind::text)
      return fail(std::string("takes a text, and this is ") + kind_name(node_.kind), "put it in quotes");
    if (node_.text.size() > 65536) return fail("is longer than 65536 bytes", "shorten it");
    if (node_.text.find('\0') != std::string::npos) return fail("holds a zero byte", "remove it");
    out_.text = node_.text;
    if (out_.text.empty()) return fail("is empty", "write a value, or leave the setting out");
    return true;
  }

  bool take_choice() {
    out_.text = lower(out_.text);
    std::vector<std::string> known;
    for (std::string_view rest = row_.choices; !rest.empty();) {
      const auto bar = rest.find('|');
      known.emplace_back(rest.substr(0, bar));
      rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
    }
    if (std::find(known.begin(), known.end(), out_.text) != known.end()) return true;
    const std::string near = nearest_of(out_.text, known, 3);
    return fail(shown() + " is not one of " + choices_text(row_.choices),
                near.empty() ? "write one of them" : "did you mean " + near + "?");
  }

  bool take_boolean() {
    if (node_.typed) {
      if (node_.kind != Node::Kind::boolean) return wrong_kind("true or false");
      out_.on = node_.boolean;
      return true;
    }
    const std::string word = lower(node_.text);
    for (const char* yes : {"1", "true", "yes", "on"})
      if (word == yes) return out_.on = true, true;
    for (const char* no : {"0", "false", "no", "off"})
      if (word == no) return out_.on = false, true;
    return fail(shown() + " is neither true nor false",
                "write true or false; a comment after a value is read only in an .env file");
  }

  bool take_number() {
    const char* wanted = row_.type == Type::integer ? "a whole number" : "a number";
    if (node_.typed) {
      if (node_.kind == Node::Kind::integer) {
        out_.number = static_cast<double>(node_.integer);
      } else if (node_.kind == Node::Kind::number && row_.type != Type::integer) {
        out_.number = node_.number;
      } else {
        return wrong_kind(wanted);
      }
    } else {
      const std::string& text = node_.text;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out_.number);
      const bool whole =
          row_.type != Type::integer || text.find_first_not_of("0123456789-") == std::string::npos;
      if (error == std::errc::invalid_argument || end != text.data() + text.size() || !whole)
        return fail(shown() + " is not " + wanted,
                    std::string("write ") + wanted + " from " + range_text(row_) +
                        "; a comment after a value is read only in an .env file");
      if (error != std::errc{}) out_.number = HUGE_VAL;
    }
    // Compared as written, before anything is narrowed: NaN is in no range.
    if (!(out_.number >= row_.least && out_.number <= row_.most)) {
      const std::string written = node_.typed ? range_text(out_.number) : node_.text;
      return fail(in_quotes(written) + " is out of range",
                  "write " + std::string(wanted) + " from " + range_text(row_));
    }
    out_.integer = static_cast<std::int64_t>(out_.number);
    return true;
  }

  bool take_list() {
    if (node_.typed) {
      if (node_.kind != Node::Kind::array)
        return fail(std::string("takes a list of texts, and this is ") + kind_name(node_.kind),
                    "write [\"one\", \"two\"]");
      for (const auto& item : node_.items) {
        if (item.kind != Node::Kind::text || item.text.empty()) {
          problems_.push_back({item.where, std::string(row_.key) + ": an element is not a text or empty",
                               "put each element in quotes"});
          return false;
        }
        out_.list.push_back(item.text);
      }
    } else {
      std::string_view rest = node_.text;
      while (!rest.empty()) {
        const auto comma = rest.find(',');
        if (const auto item = trimmed(rest.substr(0, comma)); !item.empty()) out_.list.emplace_back(item);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      }
    }
    if (out_.list.size() > kMaxListItems) return fail("has more than 1000 elements", "shorten it");
    return true;
  }

  const Row& row_;
  const Node& node_;
  Value& out_;
  Problems& problems_;
};

}  // namespace

std::string long_variable(std::string_view key) {
  std::string out(kEnvironmentPrefix);
  for (const char c : key) {
    if (c == '.')
      out += "__";
    else
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

const Row* find_key(std::string_view key, bool& from_file) {
  from_file = false;
  for (const Row& row : table())
    if (row.key == key) return &row;
  constexpr std::string_view kSuffix = "_file";
  if (!key.ends_with(kSuffix)) return nullptr;
  key.remove_suffix(kSuffix.size());
  from_file = true;
  for (const Row& row : table())
    if (row.secret && row.key == key) return &row;
  return nullptr;
}

const Row* find_variable(std::string_view name, bool& from_file, bool& long_name) {
  constexpr std::string_view kSuffix = "_FILE";
  for (const bool suffixed : {false, true}) {
    if (suffixed) {
      if (!name.ends_with(kSuffix)) return nullptr;
      name.remove_suffix(kSuffix.size());
    }
    from_file = suffixed;
    long_name = name.starts_with(kEnvironmentPrefix);
    for (const Row& row : table()) {
      if (suffixed && !row.secret) continue;
      if (long_name ? long_variable(row.key) == name : (!row.variable.empty() && row.variable == name))
        return &row;
    }
  }
  return nullptr;
}

std::string nearest_of(std::string_view name, std::span<const std::string> names, std::size_t max_distance) {
  std::string best;
  std::size_t least = max_distance + 1;
  for (const auto& candidate : names) {
    if (const std::size_t d = distance(name, candidate); d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

std::string nearest_key(std::string_view key) {
  std::vector<std::string> names;
  for (const Row& row : table()) {
    names.emplace_back(row.key);
    if (row.secret) names.push_back(std::string(row.key) + "_file");
    if (const auto dot = row.key.find('.'); dot != std::string_view::npos)
      names.emplace_back(row.key.substr(0, dot));
  }
  // The same name in another section is the commoner slip than any misspelling.
  if (const auto dot = key.rfind('.'); dot != std::string_view::npos)
    for (const Row& row : table())
      if (row.key.ends_with(key.substr(dot))) return std::string(row.key);
  return nearest_of(key.substr(0, 128), names, std::max<std::size_t>(2, key.size() / 3));
}

std::string nearest_variable(std::string_view name, std::size_t max_distance) {
  std::vector<std::string> names;
  const bool is_long = name.starts_with(kEnvironmentPrefix);
  for (const Row& row : table()) {
    const std::string known = is_long ? long_variable(row.key) : std::string(row.variable);
    if (known.empty()) continue;
    names.push_back(known);
    if (row.secret) names.push_back(known + "_FILE");
  }
  return nearest_of(name.substr(0, 128), names, max_distance);
}

bool value_from_node(const Row& row, const Node& node, Value& out, Problems& problems) {
  return Reader(row, node, out, problems).read();
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return out + (text.size() > kShown ? "…\"" : "\"");
}

}  // namespace vmcp::config
