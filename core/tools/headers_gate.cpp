#include "tools/headers_gate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/mask.h"
#include "tools/schema_gate.h"

namespace vmcp::tools {
namespace {

constexpr double kMaxExact = 9007199254740991.0;  // 2^53 − 1: what every client's number type holds
constexpr const char* kKeyword = "x-mcp-header";

struct Found {
  std::vector<HeaderParam> params;
  std::set<std::string> headers;
  std::string why;  // first violation
};

bool is_token(const std::string& name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

bool beyond_exact(const Json& schema, const char* keyword) {
  const auto it = schema.find(keyword);
  return it != schema.end() && it->is_number() && std::fabs(it->get<double>()) > kMaxExact;
}

// Reads one annotated property. Empty, or why it is refused.
std::string read(const Json& schema, const std::vector<std::string>& path, bool by_properties, Found& found) {
  const Json& annotation = schema[kKeyword];
  if (!annotation.is_string() || !is_token(annotation.get_ref<const std::string&>()))
    return "must be a header token: letters, digits and !#$%&'*+-.^_`|~";
  if (!by_properties || path.empty()) return "may stand only where `properties` alone lead to it";
  HeaderParam param;
  param.path = path;
  param.header = "mcp-param-" + lower(annotation.get<std::string>());
  const auto type = schema.find("type");
  if (type == schema.end() || !type->is_string()) return "needs one type: string, integer or boolean";
  if (*type == "string")
    param.type = HeaderParam::Type::string;
  else if (*type == "integer")
    param.type = HeaderParam::Type::integer;
  else if (*type == "boolean")
    param.type = HeaderParam::Type::boolean;
  else
    return "needs the type string, integer or boolean";
  for (const char* bound : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
    if (beyond_exact(schema, bound))
      return std::string("allows integers beyond ±(2^53−1) by \"") + bound + "\"";
  if (is_secret_key(path.back())) return "would put a secret into a header";
  if (!found.headers.insert(param.header).second) return "is used twice (its case does not matter)";
  found.params.push_back(std::move(param));
  return {};
}

// `place` is for the error text, `path` the property names so far.
void search(const Json& schema, const std::string& place, std::vector<std::string>& path, bool by_properties,
            Found& found) {
  if (!schema.is_object() || !found.why.empty()) return;
  if (schema.contains(kKeyword)) {
    if (std::string why = read(schema, path, by_properties, found); !why.empty()) {
      found.why = (place.empty() ? "root" : place) + ": \"x-mcp-header\" " + why;
      return;
    }
  }
  for_each_subschema(schema, [&](const Json& child, bool, const std::string& suffix) {
    const bool property = suffix.starts_with("/properties/");
    if (property) {
      std::string name = suffix.substr(12);
      for (std::size_t i = 0; (i = name.find('~', i)) != std::string::npos; ++i)
        name.replace(i, 2, name.compare(i, 2, "~1") == 0 ? "/" : "~");
      path.push_back(std::move(name));
    }
    search(child, place + suffix, path, by_properties && property, found);
    if (property) path.pop_back();
  });
}

}  // namespace

Result<std::vector<HeaderParam>> header_params_of(const Json& schema) {
  Found found;
  std::vector<std::string> path;
  search(schema, "", path, true, found);
  if (!found.why.empty()) return make_error(Code::malformed, found.why);
  return std::move(found.params);
}

}  // namespace vmcp::tools
