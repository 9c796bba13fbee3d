#include "tools/schema_node.h"

#include <re2/re2.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>

#include "tools/schema_node_data.h"
#include "tools/schema_rules.h"
#include "tools/schema_text.h"

namespace vmcp::tools {

void Violations::add(std::string line) {
  if (std::find(lines.begin(), lines.end(), line) != lines.end()) return;
  if (full())
    more = true;
  else
    lines.push_back(std::move(line));
}

// Builds each schema once, however often it is referred to; references are built from a list, so that the
// depth of the recursion is the document's.
class SchemaTree::Builder {
 public:
  Builder(const GatedSchema& gated, std::vector<std::unique_ptr<SchemaNode>>& nodes)
      : gated_(gated), nodes_(nodes) {}

  const SchemaNode* run() {
    const SchemaNode* root = build(gated_.root);
    while (!pending_.empty()) {
      const auto [node, target] = pending_.back();
      pending_.pop_back();
      node->also.push_back(build(*target));
    }
    return root;
  }

 private:
  const SchemaNode* build(const Json& schema) {
    if (const auto it = built_.find(&schema); it != built_.end()) return it->second;
    nodes_.push_back(std::make_unique<SchemaNode>());
    SchemaNode& node = *nodes_.back();
    built_[&schema] = &node;
    if (schema.is_boolean()) {
      node.never = !schema.get<bool>();
      return &node;
    }
    read_leaf(schema, node);
    if (const auto it = schema.find("items"); it != schema.end() && !schema.contains("prefixItems"))
      node.items = build(*it);
    if (const auto it = schema.find("allOf"); it != schema.end())
      for (const Json& part : *it) node.also.push_back(build(part));
    if (const auto it = gated_.target.find(&schema); it != gated_.target.end())
      pending_.emplace_back(&node, it->second);
    read_object(schema, node);
    return &node;
  }

  void read_object(const Json& schema, SchemaNode& node) {
    if (const auto it = schema.find("properties"); it != schema.end())
      for (auto member = it->begin(); member != it->end(); ++member)
        node.properties.push_back({member.key(), build(*member), false});
    if (const auto it = schema.find("required"); it != schema.end()) {
      for (const Json& name : *it) {
        const auto known = std::find_if(
            node.properties.begin(), node.properties.end(),
            [&](const SchemaNode::Property& p) { return p.name == name.get_ref<const std::string&>(); });
        if (known != node.properties.end())
          known->required = true;
        else
          node.required_unlisted.push_back(name.get<std::string>());
      }
    }
    if (const auto it = schema.find("additionalProperties"); it != schema.end() && *it != true)
      node.additional = build(*it);
  }

  static void read_leaf(const Json& schema, SchemaNode& node) {
    if (const auto it = schema.find("type"); it != schema.end()) {
      node.types = 0;
      if (it->is_string())
        node.types = type_bit(it->get_ref<const std::string&>());
      else
        for (const Json& name : *it) node.types |= type_bit(name.get_ref<const std::string&>());
    }
    if (const auto it = schema.find("enum"); it != schema.end()) node.values.emplace(it->begin(), it->end());
    if (const auto it = schema.find("const"); it != schema.end()) node.constant.emplace(*it);
    const auto bound = [&](const char* keyword, std::optional<double>& to) {
      if (const auto it = schema.find(keyword); it != schema.end()) to = it->get<double>();
    };
    bound("minimum", node.minimum);
    bound("maximum", node.maximum);
    bound("exclusiveMinimum", node.above);
    bound("exclusiveMaximum", node.below);
    bound("multipleOf", node.multiple);
    const auto count = [&](const char* keyword, std::size_t& to) {
      if (const auto it = schema.find(keyword); it != schema.end()) to = it->get<std::size_t>();
    };
    count("minLength", node.min_length);
    count("maxLength", node.max_length);
    count("minItems", node.min_items);
    count("maxItems", node.max_items);
    count("minProperties", node.min_properties);
    count("maxProperties", node.max_properties);
    if (const auto it = schema.find("uniqueItems"); it != schema.end()) node.unique = it->get<bool>();
    if (const auto it = schema.find("pattern"); it != schema.end()) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(1 << 20);
      node.pattern = std::make_unique<RE2>(it->get<std::string>(), options);
    }
  }

  const GatedSchema& gated_;
  std::vector<std::unique_ptr<SchemaNode>>& nodes_;
  std::unordered_map<const Json*, SchemaNode*> built_;
  std::vector<std::pair<SchemaNode*, const Json*>> pending_;
};

// One walk over one value. Bounded in visits and depth: running out is a refusal.
class SchemaTree::Check {
 public:
  explicit Check(Violations& out) : out_(out) {}

  void at(const SchemaNode& node, const Json& value, const Path& path) {
    if (out_.full() && out_.more) return;
    if (++visits_ > kMaxVisits || path.depth > kMaxDepth) {
      if (!exhausted_) out_.add("the value is too large or too deep to be checked against its schema");
      exhausted_ = true;
      return;
    }
    if (exhausted_) return;
    if (node.never || !fits(node, value)) {
      out_.add(pointer_of(path) + ": expected " + describe(node) + ", got " + describe_value(value, path));
      return;
    }
    if (value.is_object()) object(node, value, path);
    if (value.is_array()) array(node, value, path);
    for (const SchemaNode* other : node.also)
      at(*other, value, Path{path.up, path.key, path.index, path.depth + 1});
  }

 private:
  static constexpr std::size_t kMaxVisits = 2'000'000;
  static constexpr std::size_t kMaxDepth = 1'000;

  // What can be said of the value without looking into it.
  static bool fits(const SchemaNode& node, const Json& value) {
    if ((node.types & bits_of(value)) == 0) return false;
    if (node.constant && !(*node.constant == value)) return false;
    if (node.values && std::find(node.values->begin(), node.values->end(), value) == node.values->end())
      return false;
    if (value.is_number()) return number_fits(node, value);
    if (value.is_string()) return string_fits(node, value.get_ref<const std::string&>());
    return true;
  }

  static bool number_fits(const SchemaNode& node, const Json& value) {
    if (!node.bounded_number()) return true;
    const double v = value.get<double>();
    return !(node.minimum && v < *node.minimum) && !(node.maximum && v > *node.maximum) &&
           !(node.above && v <= *node.above) && !(node.below && v >= *node.below) &&
           !(node.multiple && !multiple_of(v, *node.multiple));
  }

  static bool string_fits(const SchemaNode& node, const std::string& text) {
    if (node.min_length > 0 || node.max_length != kUnbounded) {
      const std::size_t length = code_points(text);
      if (length < node.min_length || length > node.max_length) return false;
    }
    return !node.pattern || RE2::PartialMatch(text, *node.pattern);
  }

  void object(const SchemaNode& node, const Json& value, const Path& path) {
    if (value.size() < node.min_properties || value.size() > node.max_properties)
      out_.add(pointer_of(path) + ": expected " +
               describe_count(node.min_properties, node.max_properties, "property", "properties") + ", got " +
               std::to_string(value.size()));
    for (const std::string& name : node.required_unlisted)
      if (!value.contains(name)) out_.add(pointer_of(Path{&path, name, 0, 0}) + ": required but missing");
    // Both sides are sorted by name: one pass, no look-ups.
    auto property = node.properties.begin();
    for (auto member = value.begin(); member != value.end(); ++member) {
      const std::string& name = member.key();
      for (; property != node.properties.end() && property->name < name; ++property) missing(*property, path);
      const Path here{&path, name, 0, path.depth + 1};
      if (property != node.properties.end() && property->name == name) {
        at(*property->node, *member, here);
        ++property;
      } else if (node.additional != nullptr) {
        if (node.additional->never)
          out_.add(pointer_of(here) + ": " + describe_unknown(node, name));
        else
          at(*node.additional, *member, here);
      }
    }
    for (; property != node.properties.end(); ++property) missing(*property, path);
  }

  void missing(const SchemaNode::Property& property, const Path& path) {
    if (property.required)
      out_.add(pointer_of(Path{&path, property.name, 0, 0}) + ": required but missing; expected " +
               describe(*property.node));
  }

  void array(const SchemaNode& node, const Json& value, const Path& path) {
    if (value.size() < node.min_items || value.size() > node.max_items)
      out_.add(pointer_of(path) + ": expected " +
               describe_count(node.min_items, node.max_items, "item", "items") + ", got " +
               std::to_string(value.size()));
    else if (node.unique)
      unique(value, path);
    if (node.items == nullptr) return;
    for (std::size_t i = 0; i < value.size() && !exhausted_; ++i)
      at(*node.items, value[i], Path{&path, {}, i, path.depth + 1});
  }

  void unique(const Json& value, const Path& path) {
    std::vector<const Json*> sorted;
    sorted.reserve(value.size());
    for (const Json& item : value) sorted.push_back(&item);
    std::sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a < *b; });
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end(),
                                          [](const Json* a, const Json* b) { return *a == *b; });
    if (twice != sorted.end())
      out_.add(pointer_of(path) + ": expected items that differ, got " + describe_value(**twice, path) +
               " twice");
  }

  Violations& out_;
  std::size_t visits_ = 0;
  bool exhausted_ = false;
};

SchemaTree::SchemaTree(const GatedSchema& gated) {
  root_ = Builder(gated, nodes_).run();
}

SchemaTree::~SchemaTree() = default;

void SchemaTree::check(const Json& value, Violations& out) const {
  Check(out).at(*root_, value, Path{nullptr, {}, 0, 0});
}

}  // namespace vmcp::tools
