#include "config/node.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace vmcp::config {
namespace {

Node convert(const Json& json, const Origin& where) {
  Node node;
  node.where = where;
  node.typed = true;
  switch (json.type()) {
    case Json::value_t::boolean:
      node.kind = Node::Kind::boolean;
      node.boolean = json.get<bool>();
      break;
    case Json::value_t::number_integer:
      node.kind = Node::Kind::integer;
      node.integer = json.get<std::int64_t>();
      break;
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
        node.kind = Node::Kind::other;
      } else {
        node.kind = Node::Kind::integer;
        node.integer = json.get<std::int64_t>();
      }
      break;
    case Json::value_t::number_float:
      node.kind = Node::Kind::number;
      node.number = json.get<double>();
      break;
    case Json::value_t::string:
      node.text = json.get<std::string>();
      break;
    case Json::value_t::array:
      node.kind = Node::Kind::array;
      for (const auto& item : json) node.items.push_back(convert(item, where));
      break;
    case Json::value_t::object:
      node.kind = Node::Kind::table;
      for (const auto& [key, value] : json.items()) node.fields.push_back({key, convert(value, where)});
      break;
    default:
      node.kind = Node::Kind::other;
  }
  return node;
}

}  // namespace

std::string Origin::text() const {
  switch (layer) {
    case Layer::fallback:
      return "default";
    case Layer::environment:
      return "environment " + name;
    case Layer::flag:
      return "flag " + name;
    case Layer::file:
    case Layer::env_file:
      break;
  }
  std::string out = name;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!variable.empty()) out += " " + variable;
  return out;
}

const char* kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::integer:
      return "a whole number";
    case Node::Kind::number:
      return "a number";
    case Node::Kind::text:
      return "a text";
    case Node::Kind::array:
      return "a list";
    case Node::Kind::table:
      return "a table";
    case Node::Kind::other:
      break;
  }
  return "a date, null or another value that no setting takes";
}

bool node_from_json(std::string_view text, const Origin& where, bool secret, Node& out, Problems& problems) {
  // Case variants are two different tokens, not smuggling: the site wrote this text itself.
  auto json = parse_json(text, JsonLimits{1u << 20, 32, 100'000, false});
  if (json) {
    out = convert(*json, where);
    return true;
  }
  Problem problem{where, "not valid JSON",
                  "write one JSON value with double quotes; check it with a JSON tool"};
  const std::string& why = json.error().text;
  constexpr std::string_view kByte = "at byte ";
  std::size_t offset = 0;
  if (const auto found = why.find(kByte); found != std::string::npos) {
    std::from_chars(why.data() + found + kByte.size(), why.data() + why.size(), offset);
    offset = std::min(offset, text.size());
    const std::string_view before = text.substr(0, offset == 0 ? 0 : offset - 1);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto last = before.rfind('\n');
    const std::size_t column = last == std::string_view::npos ? before.size() + 1 : before.size() - last;
    problem.what += ": the mistake is in line " + std::to_string(lines + 1) + " of the value, column " +
                    std::to_string(column);
    if (where.line > 0) {
      problem.where.line += static_cast<int>(lines);
      problem.where.column = static_cast<int>(column) + (lines == 0 ? where.column - 1 : 0);
    }
  } else if (!secret) {
    problem.what += " (" + why + ")";
  } else {
    problem.what += " (a name twice in one object, too deep, too large, or a number out of range)";
  }
  problems.push_back(std::move(problem));
  return false;
}

}  // namespace vmcp::config
