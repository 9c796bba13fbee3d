// The one file that knows toml11.
#include <exception>
#include <limits>
#include <sstream>
#include <toml.hpp>

#include "config/dotenv.h"
#include "config/files.h"

namespace vmcp::config {
namespace {

constexpr int kMaxNesting = 32;

// toml11 descends once per bracket and once per dot of a key, without a bound: some thousands end in a stack
// overflow. So the depth is counted before it sees the text. Returns the line of the first excess, or 0.
int line_too_deep(std::string_view text) {
  int line = 1, depth = 0, dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '#') {
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (c == '"' || c == '\'') {
      const std::string_view three = c == '"' ? "\"\"\"" : "'''";
      const bool long_form = text.substr(i).starts_with(three);
      i += long_form ? 3 : 1;
      while (i < text.size()) {
        if (c == '"' && text[i] == '\\') {
          ++i;
        } else if (long_form ? text.substr(i).starts_with(three) : (text[i] == c || text[i] == '\n')) {
          break;
        }
        if (i < text.size() && text[i] == '\n') ++line;
        ++i;
      }
      if (long_form)
        i += 2;
      else if (i < text.size() && text[i] == '\n')
        --i;  // never closed: the parser will say so
    } else if (c == '[' || c == '{') {
      dots = 0;
      if (++depth > kMaxNesting) return line;
    } else if (c == ']' || c == '}') {
      depth = depth > 0 ? depth - 1 : 0;
    } else if (c == ',' || c == '=') {
      dots = 0;
    } else if (c == '.' && ++dots > kMaxNesting) {
      return line;
    }
  }
  return 0;
}

Origin origin_of(const toml::source_location& at, const std::string& file_name) {
  return Origin{Layer::file, file_name, static_cast<int>(at.line()), static_cast<int>(at.column())};
}

Node convert(const toml::value& value, const std::string& file_name) {
  Node node;
  node.where = origin_of(value.location(), file_name);
  node.typed = true;
  if (value.is_boolean()) {
    node.kind = Node::Kind::boolean;
    node.boolean = value.as_boolean();
  } else if (value.is_integer()) {
    // toml11 turns what does not fit into the nearest limit; nobody means that very number.
    node.integer = value.as_integer();
    const bool saturated = node.integer == std::numeric_limits<std::int64_t>::max() ||
                           node.integer == std::numeric_limits<std::int64_t>::min();
    node.kind = saturated ? Node::Kind::other : Node::Kind::integer;
  } else if (value.is_floating()) {
    node.kind = Node::Kind::number;
    node.number = value.as_floating();
  } else if (value.is_string()) {
    node.text = value.as_string().str;
  } else if (value.is_array()) {
    node.kind = Node::Kind::array;
    for (const auto& item : value.as_array()) node.items.push_back(convert(item, file_name));
  } else if (value.is_table()) {
    node.kind = Node::Kind::table;
    for (const auto& [key, item] : value.as_table()) node.fields.push_back({key, convert(item, file_name)});
  } else {
    node.kind = Node::Kind::other;
    std::ostringstream moment;  // as it is written in TOML, which is ISO 8601
    if (value.is_offset_datetime()) moment << value.as_offset_datetime();
    if (value.is_local_datetime()) moment << value.as_local_datetime();
    if (value.is_local_date()) moment << value.as_local_date();
    node.text = moment.str();
  }
  return node;
}

// The parser's message opens with "[error] toml::some_function: " and goes on with lines of the file, which
// may hold a password: only its first sentence is kept.
std::string first_sentence(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.starts_with("[error] ")) text.remove_prefix(8);
  if (text.starts_with("toml::")) {
    const auto colon = text.find(": ");
    if (colon != std::string_view::npos) text.remove_prefix(colon + 2);
  }
  return std::string(text.substr(0, 200));
}

}  // namespace

bool node_from_toml(const std::string& text, const std::string& file_name, Node& out, Problems& problems) {
  if (const int line = line_too_deep(text); line > 0) {
    problems.push_back({Origin{Layer::file, file_name, line, 1},
                        "nested deeper than " + std::to_string(kMaxNesting) + " levels", "flatten it"});
    return false;
  }
  const std::string fix =
      "correct the TOML syntax here: texts need quotes, and a [table] stands once, before its "
      "[table.parts]";
  try {
    std::istringstream stream(text);
    out = convert(toml::parse(stream, file_name), file_name);
    return true;
  } catch (const toml::exception& e) {
    problems.push_back(
        {origin_of(e.location(), file_name), "not valid TOML: " + first_sentence(e.what()), fix});
  } catch (const std::exception& e) {
    problems.push_back({Origin{Layer::file, file_name}, "not valid TOML: " + first_sentence(e.what()), fix});
  }
  return false;
}

}  // namespace vmcp::config
