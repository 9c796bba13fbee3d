#include "vcenter/operations.h"

#include <algorithm>

#include "vcenter/facts/table.h"

namespace vmcp::vcenter {
namespace {

using facts::kTable;
using facts::PathNode;
using facts::PathOperation;

constexpr std::size_t kMaxPath = 4096;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 pchar without '%': what may stand raw in a segment.
bool is_segment_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:@";
  return kOthers.find(c) != std::string_view::npos;
}

// Every '%' starts a complete escape that does not hide a control character.
bool well_escaped(std::string_view text, bool query) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_segment_char(text[i]) && !(query && (text[i] == '/' || text[i] == '?'))) return false;
      continue;
    }
    if (i + 2 >= text.size()) return false;
    int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    int code = high * 16 + low;
    if (code < 0x20 || code == 0x7f) return false;
    i += 2;
  }
  return true;
}

// "." and "..", also when dots are written as %2e: a server may normalise after decoding.
bool is_dots(std::string_view segment) {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < segment.size(); ++i, ++dots) {
    if (segment[i] == '.') continue;
    bool encoded = segment[i] == '%' && i + 2 < segment.size() && segment[i + 1] == '2' &&
                   (segment[i + 2] == 'e' || segment[i + 2] == 'E');
    if (!encoded) return false;
    i += 2;
  }
  return dots == 1 || dots == 2;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

struct Query {
  std::string_view text;
  std::string_view action;
  bool task = false;
};

struct Parameter {
  std::string_view key, value;
  bool has_value = false;
};

// Calls f for each "key=value"; false as soon as f says so or a parameter is empty.
template <class F>
bool each_parameter(std::string_view query, F f) {
  while (true) {
    auto end = query.find('&');
    auto part = query.substr(0, end);
    auto equals = part.find('=');
    Parameter parameter{part.substr(0, equals), {}, equals != std::string_view::npos};
    if (parameter.has_value) parameter.value = part.substr(equals + 1);
    if (parameter.key.empty() || !f(parameter)) return false;
    if (end == std::string_view::npos) return true;
    query.remove_prefix(end + 1);
  }
}

// A key that a server could read as "action" although it is not spelled so would choose another operation
// than the one that was judged: escapes, other case, "~action" and ';' as separator are refused.
bool read_query(std::string_view text, Query& out) {
  if (!well_escaped(text, true) || text.find(';') != std::string_view::npos) return false;
  out.text = text;
  bool action_seen = false;
  return each_parameter(text, [&](const Parameter& p) {
    if (p.key.find('%') != std::string_view::npos || p.key.find('+') != std::string_view::npos) return false;
    if (p.key.front() == '~') return false;
    if (p.key == "action") {
      if (action_seen || p.value.empty()) return false;
      action_seen = true;
      out.action = p.value;
      return true;
    }
    if (p.key == "vmw-task") {
      if (out.task || p.value != "true") return false;
      out.task = true;
      return true;
    }
    return !equal_ignoring_case(p.key, "action") && !equal_ignoring_case(p.key, "vmw-task");
  });
}

bool in_list(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    auto end = list.find(',');
    if (list.substr(0, end) == word) return true;
    if (end == std::string_view::npos) break;
    list.remove_prefix(end + 1);
  }
  return false;
}

// A literal wins over a parameter, without a second try: a path that could be read in two ways is read in
// one.
const PathNode* child(const PathNode& node, std::string_view segment) {
  auto children = kTable.nodes.subspan(node.first_child, node.literal_children);
  auto found = std::lower_bound(children.begin(), children.end(), segment,
                                [](const PathNode& n, std::string_view s) { return n.segment < s; });
  if (found != children.end() && found->segment == segment) return &*found;
  return node.parameter_child == 0 ? nullptr : &kTable.nodes[node.parameter_child];
}

// Takes "/a" off the front of "/a/b"; false when no segment stands there.
bool next_segment(std::string_view& path, std::string_view& segment) {
  if (path.empty() || path.front() != '/') return false;
  auto end = path.find('/', 1);
  segment = path.substr(1, end == std::string_view::npos ? end : end - 1);
  path.remove_prefix(segment.size() + 1);
  return !segment.empty();
}

const PathNode* walk(std::string_view path) {
  const PathNode* node = &kTable.nodes[0];
  std::string_view segment;
  while (!path.empty()) {
    if (!next_segment(path, segment) || is_dots(segment) || !well_escaped(segment, false)) return nullptr;
    node = child(*node, segment);
    if (!node) return nullptr;
  }
  return node;
}

bool parameters_allowed(const PathOperation& row, const Query& query) {
  if (row.method == "GET" || query.text.empty()) return true;
  return each_parameter(query.text, [&](const Parameter& p) {
    return p.key == "action" || p.key == "vmw-task" || in_list(row.query, p.key);
  });
}

// Compares "Type.member" of a row with a type and a member, without joining them.
int compare_id(std::string_view id, std::string_view type, std::string_view member) {
  if (int c = id.substr(0, type.size()).compare(type)) return c;
  id.remove_prefix(type.size());
  if (id.empty() || id.front() != '.') return id.empty() || id.front() < '.' ? -1 : 1;
  return id.substr(1).compare(member);
}

const Operation* find_member(std::span<const Operation> rows, std::string_view type,
                             std::string_view member) {
  auto row = std::lower_bound(kTable.types.begin(), kTable.types.end(), type,
                              [](const facts::TypeRow& r, std::string_view t) { return r.name < t; });
  if (row == kTable.types.end() || row->name != type) return nullptr;
  while (true) {
    auto found = std::lower_bound(rows.begin(), rows.end(), 0, [&](const Operation& o, int) {
      return compare_id(o.id, row->name, member) < 0;
    });
    if (found != rows.end() && compare_id(found->id, row->name, member) == 0) return &*found;
    if (row->parent < 0) return nullptr;
    row = kTable.types.begin() + row->parent;
  }
}

}  // namespace

const Operation* find_automation(std::string_view method, std::string_view path) {
  if (path.size() > kMaxPath) return nullptr;
  Query query;
  auto mark = path.find('?');
  if (mark != std::string_view::npos && !read_query(path.substr(mark + 1), query)) return nullptr;
  const PathNode* node = path.empty() ? nullptr : walk(path.substr(0, mark));
  if (!node) return nullptr;
  for (const PathOperation& row : kTable.automation.subspan(node->first_operation, node->operations)) {
    if (row.method != method || row.action != query.action || row.task != query.task) continue;
    return parameters_allowed(row, query) ? &row.operation : nullptr;
  }
  return nullptr;
}

PathObject path_object(const Operation& op, std::string_view path) {
  auto space = op.id.find(' ');
  if (op.object.empty() || space == std::string_view::npos) return {};
  auto pattern = op.id.substr(space + 1);
  pattern = pattern.substr(0, pattern.find('?'));
  path = path.substr(0, path.find('?'));
  std::string_view expected, actual;
  PathObject found;
  while (!pattern.empty()) {
    if (!next_segment(pattern, expected) || !next_segment(path, actual)) return {};
    bool parameter = expected.front() == '{';
    if (!parameter && expected != actual) return {};
    if (parameter && expected.substr(1, expected.size() - 2) == op.object) found = {op.object, actual};
  }
  return path.empty() ? found : PathObject{};
}

const Operation* find_vim_method(std::string_view type, std::string_view method) {
  return find_member(kTable.methods, type, method);
}

const Operation* find_vim_property(std::string_view type, std::string_view property) {
  return find_member(kTable.properties, type, property.substr(0, property.find_first_of(".[")));
}

std::size_t operation_count() {
  return kTable.automation.size() + kTable.methods.size() + kTable.properties.size();
}

}  // namespace vmcp::vcenter
