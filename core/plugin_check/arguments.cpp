#include "plugin_check/arguments.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

namespace vmcp::plugin_check {
namespace {

constexpr int kMaxDepth = 12;
constexpr std::size_t kMaxText = 2'000, kMaxItems = 8;

// Counted in characters where a schema counts: each of these is one.
constexpr const char* kCharacters[] = {"a", "Z", "7",      " ",      "-",          "_",  "/", "%", "\"", "\\",
                                       "'", "<", "\u00e4", "\u4e2d", "\U0001F600", "\n", "{", ";", "*",  "."};
// What patterns and formats usually ask for.
constexpr const char* kLikely[] = {"a",
                                   "vm-1",
                                   "ledger-db",
                                   "10.0.0.1",
                                   "2026-01-31T10:00:00Z",
                                   "2026-01-31",
                                   "example.org",
                                   "1",
                                   "node-17",
                                   "group-v4",
                                   "https://example.org/a",
                                   "a@example.org",
                                   "6f1e5a9c-2c1b-4b59-9d1e-0a4b2f1f8c11",
                                   "00:50:56:00:00:01",
                                   "GREEN",
                                   "1.0.0"};

class Generator {
 public:
  Generator(const Json& root, Random& random, const KnownObjects& objects)
      : root_(root), random_(random), objects_(objects) {}

  Json value(const Json& schema, int depth) {
    if (!schema.is_object() || depth > kMaxDepth) return Json();
    if (const auto it = schema.find("const"); it != schema.end()) return *it;
    if (const auto it = schema.find("enum"); it != schema.end() && it->is_array() && !it->empty())
      return (*it)[random_.below(it->size())];
    if (const auto it = schema.find("default"); it != schema.end() && random_.one_in(4)) return *it;
    if (const auto it = schema.find("$ref"); it != schema.end() && it->is_string())
      return value(target(it->get<std::string>()), depth + 1);
    for (const char* key : {"oneOf", "anyOf"})
      if (const auto it = schema.find(key); it != schema.end() && it->is_array() && !it->empty())
        return merged(schema, key, (*it)[random_.below(it->size())], depth);
    if (const auto it = schema.find("allOf"); it != schema.end() && it->is_array() && !it->empty())
      return all_of(schema, *it, depth);
    return typed(schema, type_of(schema), depth);
  }

 private:
  const Json& target(const std::string& reference) const {
    static const Json kNothing = Json::object();
    if (reference == "#") return root_;
    if (!reference.starts_with("#/")) return kNothing;
    try {
      return root_.at(Json::json_pointer(reference.substr(1)));
    } catch (const Json::exception&) {
      return kNothing;
    }
  }

  // The branch with what stands beside it.
  Json merged(const Json& schema, const char* key, const Json& branch, int depth) {
    Json whole = schema;
    whole.erase(key);
    if (branch.is_object()) add(whole, branch);
    return value(whole, depth + 1);
  }
  Json all_of(const Json& schema, const Json& parts, int depth) {
    Json whole = schema;
    whole.erase("allOf");
    for (const Json& part : parts)
      if (part.is_object()) add(whole, part);
    return value(whole, depth + 1);
  }
  static void add(Json& whole, const Json& part) {
    for (const auto& [name, member] : part.items()) {
      if (name == "properties" && whole.contains(name) && whole[name].is_object() && member.is_object())
        whole[name].update(member);
      else if (name == "required" && whole.contains(name) && whole[name].is_array() && member.is_array())
        whole[name].insert(whole[name].end(), member.begin(), member.end());
      else
        whole[name] = member;
    }
  }

  std::string type_of(const Json& schema) {
    const auto it = schema.find("type");
    if (it != schema.end() && it->is_string()) return it->get<std::string>();
    if (it != schema.end() && it->is_array() && !it->empty()) {
      const Json& one = (*it)[random_.below(it->size())];
      if (one.is_string()) return one.get<std::string>();
    }
    if (schema.contains("properties")) return "object";
    if (schema.contains("items")) return "array";
    return "string";
  }

  Json typed(const Json& schema, const std::string& type, int depth) {
    if (type == "object") return object(schema, depth);
    if (type == "array") return array(schema, depth);
    if (type == "boolean") return random_.one_in(2);
    if (type == "integer") return integer(schema);
    if (type == "number") return number(schema);
    if (type == "null") return nullptr;
    return text(schema);
  }

  Json object(const Json& schema, int depth) {
    Json out = Json::object();
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object()) return out;
    const auto required = schema.find("required");
    const auto share = 1 + random_.below(4);  // of the optional members: all of them, or one in 2, 3, 4
    for (const auto& [name, member] : properties->items()) {
      const bool must = required != schema.end() && required->is_array() &&
                        std::find(required->begin(), required->end(), Json(name)) != required->end();
      if (must || random_.one_in(share)) out[name] = value(member, depth + 1);
    }
    return out;
  }

  Json array(const Json& schema, int depth) {
    const std::size_t least = count(schema, "minItems", 0);
    const std::size_t most =
        std::max(least, std::min(count(schema, "maxItems", kMaxItems), least + kMaxItems));
    Json out = Json::array();
    const std::size_t size = least + random_.below(most - least + 1);
    const auto items = schema.find("items");
    for (std::size_t i = 0; i < size; ++i)
      out.push_back(items == schema.end() ? Json("a") : value(*items, depth + 1));
    if (schema.value("uniqueItems", false)) {
      std::sort(out.begin(), out.end());
      out.erase(std::unique(out.begin(), out.end()), out.end());
    }
    return out;
  }

  static std::size_t count(const Json& schema, const char* key, std::size_t fallback) {
    const auto it = schema.find(key);
    return it == schema.end() || !it->is_number_unsigned()
               ? fallback
               : std::min<std::size_t>(it->get<std::size_t>(), kMaxText);
  }
  static double bound(const Json& schema, const char* key, const char* exclusive, double fallback,
                      double step) {
    if (const auto it = schema.find(exclusive); it != schema.end() && it->is_number())
      return it->get<double>() + step;
    const auto it = schema.find(key);
    return it == schema.end() || !it->is_number() ? fallback : it->get<double>();
  }

  Json integer(const Json& schema) {
    constexpr double kEdge = 9007199254740991.0;  // beyond it JSON's numbers are not exact everywhere
    const double low = bound(schema, "minimum", "exclusiveMinimum", -kEdge, 1);
    const double high = bound(schema, "maximum", "exclusiveMaximum", kEdge, -1);
    const auto least = static_cast<std::int64_t>(std::max(low, -kEdge));
    const auto most = static_cast<std::int64_t>(std::min(high, kEdge));
    std::int64_t out = 0;
    switch (random_.below(5)) {
      case 0:
        out = least;
        break;
      case 1:
        out = most;
        break;
      case 2:
        out = static_cast<std::int64_t>(random_.below(100));
        break;
      default:
        out = most <= least
                  ? least
                  : least + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(most) -
                                                                    static_cast<std::uint64_t>(least) + 1));
    }
    if (const auto it = schema.find("multipleOf"); it != schema.end() && it->is_number_integer()) {
      const auto step = it->get<std::int64_t>();
      if (step > 0) out -= out % step;
    }
    return std::clamp(out, least, std::max(least, most));
  }

  Json number(const Json& schema) {
    const double low = bound(schema, "minimum", "exclusiveMinimum", -1e6, 1e-3);
    const double high = bound(schema, "maximum", "exclusiveMaximum", std::max(low, 1e6), -1e-3);
    const std::uint64_t part = random_.below(5);
    return part == 0   ? low
           : part == 1 ? high
                       : low + (high - low) * static_cast<double>(random_.below(1'000)) / 1e3;
  }

  Json text(const Json& schema) {
    if (const auto kind = schema.find("x-vmcp-kind"); kind != schema.end() && kind->is_string())
      return object_name(kind->get<std::string>());
    const std::size_t least = count(schema, "minLength", 0);
    const std::size_t most = std::max(least, count(schema, "maxLength", kMaxText));
    if (schema.contains("pattern") || schema.contains("format") || random_.one_in(3)) {
      const std::string_view likely = kLikely[random_.below(std::size(kLikely))];
      if (likely.size() >= least && likely.size() <= most) return likely;
    }
    std::size_t length = 0;
    switch (random_.below(4)) {
      case 0:
        length = least;
        break;
      case 1:
        length = most;
        break;
      default:
        length = std::min(most, least + random_.below(24));
    }
    std::string out;
    for (std::size_t i = 0; i < length; ++i) out += kCharacters[random_.below(std::size(kCharacters))];
    return out;
  }

  std::string object_name(const std::string& kind) {
    const auto known = objects_.find(kind);
    if (known != objects_.end() && !known->second.empty() && !random_.one_in(8))
      return known->second[random_.below(known->second.size())];
    return kind + "-" + std::to_string(random_.below(50));
  }

  const Json& root_;
  Random& random_;
  const KnownObjects& objects_;
};

}  // namespace

Random::Random(std::uint64_t seed, std::string_view what) {
  std::uint64_t mixed = seed ^ 0xcbf29ce484222325ull;  // FNV-1a, so that each tool has a row of its own
  for (const char c : what) mixed = (mixed ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  engine_.seed(mixed);
}

Json generate(const Json& schema, const Json& root, Random& random, const KnownObjects& objects) {
  return Generator(root, random, objects).value(schema, 0);
}

}  // namespace vmcp::plugin_check
