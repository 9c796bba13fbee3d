#include "tools/schema_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/mask.h"

namespace vmcp::tools {
namespace {

constexpr std::size_t kMaxShown = 60;   // bytes of a value
constexpr std::size_t kMaxListed = 30;  // names or alternatives

void append_number(std::string& out, double v) {
  if (v == std::trunc(v) && std::fabs(v) < 1e15)
    append_json_int(out, static_cast<std::int64_t>(v));
  else
    out += dump_json(Json(v));
}

// Cuts at a character's boundary.
std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  text.resize(max);
  return text + "…";
}

std::string list_of(const std::vector<std::string>& parts, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " " + std::string(last) + " " : ", ";
    out += parts[i];
  }
  return out;
}

void append_bounds(std::string& out, const SchemaNode& node) {
  std::vector<std::string> parts;
  const auto part = [&](const char* words, double v) {
    std::string text = words;
    append_number(text, v);
    parts.push_back(std::move(text));
  };
  if (node.minimum && node.maximum) {
    part("from ", *node.minimum);
    parts.back() += " to ";
    append_number(parts.back(), *node.maximum);
  } else if (node.minimum) {
    part("of at least ", *node.minimum);
  } else if (node.maximum) {
    part("of at most ", *node.maximum);
  }
  if (node.above) part("greater than ", *node.above);
  if (node.below) part("less than ", *node.below);
  if (node.multiple) part("that is a multiple of ", *node.multiple);
  if (!parts.empty()) out += ' ' + list_of(parts, "and");
}

void append_length(std::string& out, const SchemaNode& node) {
  if (node.min_length > 0 || node.max_length != kUnbounded)
    out += " of " + describe_count(node.min_length, node.max_length, "character", "characters");
  if (node.pattern) out += " matching " + cut(node.pattern->pattern(), 2 * kMaxShown);
}

// Each type with what is asked of it: "a string of at most 8 characters or null".
std::string types_of(const SchemaNode& node) {
  std::vector<std::string> parts;
  if (node.types & kObject) parts.push_back("an object");
  if (node.types & kArray) {
    parts.push_back("an array");
    if (node.min_items > 0 || node.max_items != kUnbounded)
      parts.back() += " of " + describe_count(node.min_items, node.max_items, "item", "items");
  }
  if (node.types & kString) {
    parts.push_back("a string");
    append_length(parts.back(), node);
  }
  if (node.types & (kInteger | kFraction)) {
    parts.push_back(node.types & kFraction ? "a number" : "an integer");
    append_bounds(parts.back(), node);
  }
  if (node.types & kBoolean) parts.push_back("true or false");
  if (node.types & kNull) parts.push_back("null");
  return list_of(parts, "or");
}

std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

const SchemaNode::Property* nearest(const SchemaNode& object, std::string_view name) {
  if (name.size() > 64) return nullptr;
  const SchemaNode::Property* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto& property : object.properties) {
    if (property.name.size() > 64) continue;
    std::size_t d = distance(name, property.name);
    // "cpu" for "cpu_count", "vmid" for "id": one contains the other.
    if (name.size() >= 2 &&
        (property.name.find(name) != std::string::npos || name.find(property.name) != std::string::npos))
      d = std::min<std::size_t>(d, 2);
    if (d < best_distance) {
      best = &property;
      best_distance = d;
    }
  }
  return best;
}

bool under_secret(const Path& path) {
  for (const Path* p = &path; p != nullptr && p->up != nullptr; p = p->up)
    if (p->key.data() != nullptr && is_secret_key(p->key)) return true;
  return false;
}

}  // namespace

std::string pointer_of(const Path& path) {
  std::vector<const Path*> steps;
  for (const Path* p = &path; p->up != nullptr; p = p->up) steps.push_back(p);
  if (steps.empty()) return "/";
  std::string out;
  for (auto it = steps.rbegin(); it != steps.rend(); ++it)
    append_pointer_token(
        out, (*it)->key.data() != nullptr ? std::string((*it)->key) : std::to_string((*it)->index));
  return cut(mask_text(out), 200);
}

std::string describe(const SchemaNode& node) {
  if (node.never) return "nothing here";
  if (node.constant) return cut(dump_json(*node.constant), kMaxShown);
  if (node.values) {
    std::vector<std::string> parts;
    for (const Json& value : *node.values) {
      if (parts.size() == kMaxListed) {
        parts.push_back("…");
        break;
      }
      parts.push_back(cut(dump_json(value), kMaxShown));
    }
    return (parts.size() > 1 ? "one of " : "") + list_of(parts, "or");
  }
  // A reference alone says nothing itself; what it names does.
  if (node.types == kAnyType && !node.bounded_number() && node.also.size() == 1 && node.properties.empty())
    if (const SchemaNode& other = *node.also.front(); other.also.empty()) return describe(other);
  if (node.types != kAnyType) return types_of(node);
  std::string out = "a value";
  append_bounds(out, node);
  append_length(out, node);
  return out;
}

std::string describe_value(const Json& value, const Path& path) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (under_secret(path)) return std::string("a ") + value.type_name() + " (not shown)";
  if (value.is_string()) {
    const std::string masked = mask_text(cut(value.get<std::string>(), kMaxShown));
    std::string out;
    append_json_string(out, masked);
    return out;
  }
  return dump_json(value);
}

std::string describe_unknown(const SchemaNode& object, std::string_view name) {
  std::string out = "unknown property";
  if (object.properties.empty()) return out + "; none is allowed here";
  if (const SchemaNode::Property* known = nearest(object, name))
    out += "; did you mean \"" + known->name + "\"?";
  else
    out += '.';
  out += " Known: ";
  for (std::size_t i = 0; i < object.properties.size(); ++i) {
    if (i > 0) out += ", ";
    if (i == kMaxListed) return out + "…";
    out += object.properties[i].name;
  }
  return out;
}

std::string describe_count(std::size_t min, std::size_t max, std::string_view one, std::string_view many) {
  const auto named = [&](std::size_t n) {
    return std::to_string(n) + ' ' + std::string(n == 1 ? one : many);
  };
  if (min == max) return "exactly " + named(min);
  if (max == kUnbounded) return "at least " + named(min);
  if (min == 0) return "at most " + named(max);
  return std::to_string(min) + " to " + named(max);
}

}  // namespace vmcp::tools
