#include "tools/schema_gate.h"

#include <algorithm>
#include <vector>

#include "tools/schema_keywords.h"

namespace vmcp::tools {
namespace {

constexpr std::size_t kMaxBytes = 256 * 1024;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxSubschemas = 2'000;
constexpr std::size_t kMaxReferenceDepth = 128;  // bounds the recursion of everything that walks schemas
constexpr double kMaxUnfolded = 20'000;          // subschemas after every reference is written out

struct Refusal {
  std::string text;
};

// Throws Refusal inside; gate_schema() is where it ends.
class Gate {
 public:
  explicit Gate(GatedSchema& gated) : gated_(gated) {}

  void run() {
    if (!gated_.root.is_object()) throw Refusal{"a schema must be a JSON object"};
    walk(gated_.root, "", true);
    resolve();
    for (const auto& [schema, place] : places_) in_place_height(*schema, 0);
    if (measure(gated_.root, 0).unfolded > kMaxUnfolded)
      throw Refusal{"too complex once its references are written out"};
    if (gated_.recursive && !gated_.flat)
      throw Refusal{
          "a recursive \"$ref\" together with anyOf, oneOf, not, if, contains, prefixItems, propertyNames or "
          "dependent* cannot be checked in bounded time; drop one of both"};
  }

 private:
  void walk(const Json& schema, const std::string& place, bool root) {
    if (!schema.is_boolean() && !schema.is_object())
      throw Refusal{at(place) + "a schema must be an object, true or false"};
    if (!places_.emplace(&schema, place).second) return;
    if (places_.size() > kMaxSubschemas)
      throw Refusal{"more than " + std::to_string(kMaxSubschemas) + " subschemas"};
    if (schema.is_boolean()) return;
    for (auto it = schema.begin(); it != schema.end(); ++it)
      keyword(schema, it.key(), it.value(), place, root);
    for_each_subschema(schema, [&](const Json& child, bool, const std::string& suffix) {
      walk(child, place + suffix, false);
    });
  }

  void keyword(const Json& schema, const std::string& name, const Json& value, const std::string& place,
               bool root) {
    const KeywordRule* rule = find_keyword(name);
    if (rule == nullptr) {
      if (name.starts_with("x-")) return;
      throw Refusal{at(place) + "unknown keyword \"" + name.substr(0, 64) +
                    "\"; names of your own begin with \"x-\""};
    }
    if (std::string why = rule->verify(schema, value); !why.empty())
      throw Refusal{at(place) + "\"" + name + "\" " + why};
    if (!rule->flat) gated_.flat = false;
    if (name == "$ref") references_.push_back(&schema);
    if (name == "$id" && !root)
      throw Refusal{at(place) + "\"$id\" is supported at the root only; name parts by $defs or $anchor"};
    if (name == "$anchor" && !anchors_.emplace(value.get<std::string>(), &schema).second)
      throw Refusal{at(place) + "\"$anchor\" " + value.get<std::string>() + " is used twice"};
  }

  void resolve() {
    for (const Json* schema : references_) {
      const std::string ref = (*schema)["$ref"].get<std::string>();
      const Json* target = find_target(ref);
      if (target == nullptr || !places_.contains(target))
        throw Refusal{
            at(places_[schema]) + "\"$ref\": \"" + ref.substr(0, 100) +
            "\" names no schema of this document; only #/… pointers and #anchors of it are followed"};
      gated_.target[schema] = target;
    }
  }

  const Json* find_target(const std::string& ref) const {
    if (ref.empty() || ref[0] != '#') return nullptr;
    std::string fragment;
    if (!percent_decode(ref.substr(1), fragment)) return nullptr;
    if (fragment.empty()) return &gated_.root;
    if (fragment[0] != '/') {
      const auto it = anchors_.find(fragment);
      return it == anchors_.end() ? nullptr : it->second;
    }
    try {
      const Json::json_pointer pointer(fragment);
      return gated_.root.contains(pointer) ? &gated_.root.at(pointer) : nullptr;
    } catch (const Json::exception&) {
      return nullptr;
    }
  }

  static bool percent_decode(std::string_view in, std::string& out) {
    const auto digit = [](char c) {
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
    };
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (in[i] != '%') {
        out += in[i];
        continue;
      }
      if (i + 2 >= in.size() || digit(in[i + 1]) < 0 || digit(in[i + 2]) < 0) return false;
      out += static_cast<char>(digit(in[i + 1]) * 16 + digit(in[i + 2]));
      i += 2;
    }
    return true;
  }

  struct Edge {
    const Json* to;
    bool in_place;
  };

  std::vector<Edge> edges(const Json& schema) const {
    std::vector<Edge> out;
    for_each_subschema(schema, [&](const Json& child, bool in_place, const std::string& suffix) {
      // A definition applies only where it is referred to.
      if (!suffix.starts_with("/$defs/") && !suffix.starts_with("/definitions/"))
        out.push_back({&child, in_place});
    });
    if (const auto it = gated_.target.find(&schema); it != gated_.target.end())
      out.push_back({it->second, true});
    return out;
  }

  // A ring that never goes down into the value would make an engine recurse forever.
  std::size_t in_place_height(const Json& schema, std::size_t depth) {
    const auto [it, first] = in_place_height_.emplace(&schema, 0);
    if (!first) {
      if (it->second == 0)
        throw Refusal{at(places_[&schema]) + "refers to itself without going into a property or an item"};
      return it->second;
    }
    std::size_t height = 0;
    if (depth <= kMaxReferenceDepth)
      for (const Edge& edge : edges(schema))
        if (edge.in_place) height = std::max(height, in_place_height(*edge.to, depth + 1));
    if (++height > kMaxReferenceDepth || depth > kMaxReferenceDepth)
      throw Refusal{at(places_[&schema]) + "references nest deeper than " +
                    std::to_string(kMaxReferenceDepth)};
    return in_place_height_[&schema] = height;
  }

  struct Measure {
    bool open = true;
    std::size_t height = 1;
    double unfolded = 1;
  };

  const Measure& measure(const Json& schema, std::size_t depth) {
    const auto [it, first] = measures_.emplace(&schema, Measure{});
    if (!first) {
      if (it->second.open) gated_.recursive = true;
      return it->second;
    }
    Measure own;
    if (depth > 2 * kMaxReferenceDepth)
      own.height = 2 * kMaxReferenceDepth;
    else
      for (const Edge& edge : edges(schema)) {
        const Measure& child = measure(*edge.to, depth + 1);
        own.unfolded += child.unfolded;
        own.height = std::max(own.height, child.height + 1);
      }
    if (own.height > 2 * kMaxReferenceDepth || depth > 2 * kMaxReferenceDepth)
      throw Refusal{at(places_[&schema]) + "nests deeper than " + std::to_string(2 * kMaxReferenceDepth)};
    own.open = false;
    return measures_[&schema] = own;
  }

  static std::string at(const std::string& place) { return (place.empty() ? "root" : place) + ": "; }

  GatedSchema& gated_;
  std::unordered_map<const Json*, std::string> places_;
  std::unordered_map<std::string, const Json*> anchors_;
  std::vector<const Json*> references_;
  std::unordered_map<const Json*, std::size_t> in_place_height_;  // 0 = being visited
  std::unordered_map<const Json*, Measure> measures_;
};

void visit_map(const Json& schema, const char* keyword, bool in_place, const ChildVisitor& visit) {
  const auto it = schema.find(keyword);
  if (it == schema.end() || !it->is_object()) return;
  for (auto member = it->begin(); member != it->end(); ++member) {
    if (member->is_array()) continue;  // "dependencies": names instead of a schema
    std::string place = std::string("/") + keyword;
    append_pointer_token(place, member.key());
    visit(*member, in_place, place);
  }
}

}  // namespace

void append_pointer_token(std::string& out, std::string_view token) {
  out += '/';
  for (const char c : token) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
}

void for_each_subschema(const Json& schema, const ChildVisitor& visit) {
  if (!schema.is_object()) return;
  for (const char* keyword : {"additionalProperties", "contains", "items", "propertyNames"})
    if (const auto it = schema.find(keyword); it != schema.end())
      visit(*it, false, std::string("/") + keyword);
  for (const char* keyword : {"if", "then", "else", "not"})
    if (const auto it = schema.find(keyword); it != schema.end())
      visit(*it, true, std::string("/") + keyword);
  for (const char* keyword : {"allOf", "anyOf", "oneOf", "prefixItems"}) {
    const auto it = schema.find(keyword);
    if (it == schema.end() || !it->is_array()) continue;
    for (std::size_t i = 0; i < it->size(); ++i)
      visit((*it)[i], keyword[0] != 'p', std::string("/") + keyword + "/" + std::to_string(i));
  }
  visit_map(schema, "properties", false, visit);
  for (const char* keyword : {"$defs", "definitions", "dependentSchemas", "dependencies"})
    visit_map(schema, keyword, true, visit);
}

Result<std::unique_ptr<const GatedSchema>> gate_schema(std::string_view json_text) {
  auto parsed = parse_json(json_text, JsonLimits{kMaxBytes, kMaxDepth, 100'000, false});
  if (!parsed) return parsed.error();
  auto gated = std::make_unique<GatedSchema>();
  gated->root = std::move(*parsed);
  try {
    Gate(*gated).run();
  } catch (const Refusal& refusal) {
    return make_error(Code::malformed, refusal.text);
  }
  return std::unique_ptr<const GatedSchema>(std::move(gated));
}

}  // namespace vmcp::tools
