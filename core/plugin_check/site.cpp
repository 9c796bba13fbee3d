#include "plugin_check/site.h"

#include <algorithm>

namespace vmcp::plugin_check {
namespace {

// "/hosts/*" → each element's pointer; "/vm_id" → itself.
std::vector<std::string> pointers_of(const tools::ObjectArgument& argument, const Json& arguments) {
  if (!argument.pointer.ends_with("/*")) return {argument.pointer};
  const std::string list = argument.pointer.substr(0, argument.pointer.size() - 2);
  std::vector<std::string> out;
  const Json::json_pointer pointer(list);
  if (!arguments.contains(pointer) || !arguments[pointer].is_array()) return out;
  for (std::size_t i = 0; i < arguments[pointer].size(); ++i) out.push_back(list + "/" + std::to_string(i));
  return out;
}

}  // namespace

std::optional<std::vector<plugin_host::Target>> targets_of(const tools::Tool& tool, const Json& arguments,
                                                           Site& site) {
  std::vector<plugin_host::Target> out;
  for (const tools::ObjectArgument& argument : tool.objects)
    for (const std::string& pointer : pointers_of(argument, arguments)) {
      const Json::json_pointer at(pointer);
      if (!arguments.contains(at) || !arguments[at].is_string()) continue;
      // The registry puts wholes before their parts.
      const auto whole = std::find_if(out.begin(), out.end(), [&](const plugin_host::Target& target) {
        return target.pointer == argument.within;
      });
      if (!argument.within.empty() && whole == out.end()) return std::nullopt;
      auto object = site.find(argument, arguments[at].get<std::string>(),
                              whole == out.end() ? nullptr : &whole->object);
      if (!object) return std::nullopt;
      out.push_back({pointer, std::move(*object), argument.filter});
    }
  return out;
}

}  // namespace vmcp::plugin_check
