// From 2020-12 to what valijson's draft 7 does right.
#include <unordered_map>
#include <vector>

#include "tools/schema_draft7.h"

namespace vmcp::tools {
namespace {

constexpr std::uint64_t kMaxUniqueItems = 1'000;  // its comparison is quadratic

struct RewriteRefusal {
  std::string text;
};

class Rewriter {
 public:
  explicit Rewriter(const GatedSchema& gated) : gated_(gated) {}

  // Every referenced schema becomes a definition of its own, so that rewriting may move what is inside it.
  Json run() {
    Json root = rewrite(gated_.root);
    Json definitions = Json::object();
    for (std::size_t i = 0; i < targets_.size(); ++i) definitions[std::to_string(i)] = rewrite(*targets_[i]);
    if (definitions.empty()) return root;
    if (!root.is_object()) return root;
    root["definitions"] = std::move(definitions);
    return root;
  }

 private:
  Json rewrite(const Json& in) {
    if (in.is_boolean()) return in;
    Json out = Json::object();
    applicators(in, out);
    objects(in, out);
    assertions(in, out);
    const auto target = gated_.target.find(&in);
    if (target == gated_.target.end()) return out;
    Json reference = {{"$ref", "#/definitions/" + std::to_string(number(target->second))}};
    // Draft 7 ignores what stands beside a reference.
    return Json{{"allOf", Json::array({std::move(reference), std::move(out)})}};
  }

  std::size_t number(const Json* target) {
    const auto [it, first] = numbers_.emplace(target, targets_.size());
    if (first) targets_.push_back(target);
    return it->second;
  }

  void applicators(const Json& in, Json& out) {
    for (const char* keyword :
         {"if", "then", "else", "not", "additionalProperties", "contains", "propertyNames"})
      if (const auto it = in.find(keyword); it != in.end()) out[keyword] = rewrite(*it);
    for (const char* keyword : {"allOf", "anyOf", "oneOf"})
      if (const auto it = in.find(keyword); it != in.end())
        for (const Json& part : *it) out[keyword].push_back(rewrite(part));
    const auto items = in.find("items");
    if (const auto it = in.find("prefixItems"); it != in.end()) {
      for (const Json& part : *it) out["items"].push_back(rewrite(part));
      if (items != in.end()) out["additionalItems"] = rewrite(*items);
    } else if (items != in.end()) {
      out["items"] = rewrite(*items);
    }
  }

  void objects(const Json& in, Json& out) {
    if (const auto it = in.find("properties"); it != in.end()) {
      Json properties = Json::object();
      for (auto member = it->begin(); member != it->end(); ++member)
        properties[member.key()] = rewrite(*member);
      out["properties"] = std::move(properties);
    }
    // Each of the three has its own object, because one property may have an entry in all of them.
    for (const char* keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
      const auto it = in.find(keyword);
      if (it == in.end() || it->empty()) continue;
      Json dependencies = Json::object();
      for (auto member = it->begin(); member != it->end(); ++member)
        dependencies[member.key()] = member->is_array() ? *member : rewrite(*member);
      out["allOf"].push_back(Json{{"dependencies", std::move(dependencies)}});
    }
  }

  static void assertions(const Json& in, Json& out) {
    for (const char* keyword : {"const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
                                "minItems", "maxItems", "minProperties", "maxProperties"})
      if (const auto it = in.find(keyword); it != in.end()) out[keyword] = *it;
    if (const auto it = in.find("required"); it != in.end() && !it->empty()) out["required"] = *it;
    Json own = Json::object();
    for (const char* keyword : {"pattern", "minLength", "maxLength", "multipleOf"})
      if (const auto it = in.find(keyword); it != in.end()) own[keyword] = *it;
    if (const auto it = in.find("uniqueItems"); it != in.end() && *it == true) {
      const auto bound = in.find("maxItems");
      if (bound == in.end() || bound->get<std::uint64_t>() > kMaxUniqueItems)
        throw RewriteRefusal{
            "\"uniqueItems\" beside anyOf, oneOf, not, if, … needs a \"maxItems\" of at most 1000"};
      own["uniqueItems"] = kMaxUniqueItems;
    }
    if (const auto it = in.find("type"); it != in.end()) types(*it, out, own);
    if (!own.empty()) out["x-own"] = std::move(own);
  }

  // "integer" becomes a number that a rule of ours looks at: valijson does not take 1.0 for an integer.
  static void types(const Json& in, Json& out, Json& own) {
    Json named = Json::array();
    bool number = false, integer = false;
    for (const Json& name : in.is_array() ? in : Json::array({in})) {
      number = number || name == "number";
      integer = integer || name == "integer";
      if (name != "integer" && name != "number") named.push_back(name);
    }
    if (number || integer) named.push_back("number");
    if (integer && !number) own["integer"] = true;
    out["type"] = named.size() == 1 ? named[0] : named;
  }

  const GatedSchema& gated_;
  std::unordered_map<const Json*, std::size_t> numbers_;
  std::vector<const Json*> targets_;
};

}  // namespace

Result<Json> rewrite_for_draft7(const GatedSchema& gated) {
  try {
    return Rewriter(gated).run();
  } catch (const RewriteRefusal& refusal) {
    return make_error(Code::malformed, refusal.text);
  }
}

}  // namespace vmcp::tools
