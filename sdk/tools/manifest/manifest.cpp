#include "manifest.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vmcp/table.hpp>

namespace vmcp::manifest_tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kManifestRevision = 0;

const char* effect_name(std::uint32_t effect) {
  switch (effect) {
    case VMCP_EFFECT_READ:
      return "read";
    case VMCP_EFFECT_CHANGE:
      return "change";
    case VMCP_EFFECT_DESTROY:
      return "destroy";
    default:
      throw std::runtime_error("effect " + std::to_string(effect) + " is none of read, change, destroy");
  }
}

std::string text(const char* value) {
  return value == nullptr ? std::string() : std::string(value);
}

Json schema(const char* json_text, const char* which) {
  Json value = Json::parse(json_text, nullptr, false);
  if (value.is_discarded()) throw std::runtime_error(std::string(which) + " is not JSON");
  if (!value.is_object() || value.value("type", Json()) != "object")
    throw std::runtime_error(std::string(which) +
                             R"( must be a JSON object with "type":"object" at its root)");
  return value;
}

Json privileges(const std::string& list) {
  Json out = Json::array();
  for (std::size_t from = 0; from < list.size();) {
    std::size_t to = list.find(',', from);
    if (to == std::string::npos) to = list.size();
    std::string name = list.substr(from, to - from);
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    if (!name.empty()) out.push_back(name);
    from = to + 1;
  }
  return out;
}

Json tool_of(const vmcp_tool& tool) {
  Json out;
  out["name"] = text(tool.name);
  out["title"] = text(tool.title);
  out["description"] = text(tool.description);
  out["effect"] = effect_name(tool.effect);
  out["idempotent"] = (tool.flags & VMCP_TOOL_IDEMPOTENT) != 0;
  out["open_world"] = (tool.flags & VMCP_TOOL_OPEN_WORLD) != 0;
  out["no_upstream"] = (tool.flags & VMCP_TOOL_NO_UPSTREAM) != 0;
  out["needs_confirm"] = (tool.flags & VMCP_TOOL_NEEDS_CONFIRM) != 0;
  out["cost"] = tool.cost;
  out["max_parallel"] = tool.max_parallel;
  out["time_hint_ms"] = tool.time_hint_ms;
  out["privileges"] = privileges(text(tool.privileges));
  if (tool.input_schema == nullptr) throw std::runtime_error("it has no input schema");
  out["input_schema"] = schema(tool.input_schema, "its input schema");
  if (tool.output_schema != nullptr) out["output_schema"] = schema(tool.output_schema, "its output schema");
  return out;
}

Json tools_of(const Library& library) {
  Json out = Json::array();
  const vmcp_tools_0 tools = library.tools();
  if (tools.count == nullptr || tools.at == nullptr) return out;
  const std::uint32_t count = tools.count(library.plugin());
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto tool = detail::read_table<vmcp_tool>(tools.at(library.plugin(), i));
    try {
      out.push_back(tool_of(tool));
    } catch (const std::exception& e) {
      throw std::runtime_error("tool " + std::to_string(i) + " \"" + text(tool.name) + "\": " + e.what());
    }
  }
  return out;
}

}  // namespace

std::string manifest_of(const Library& library) {
  Json out;
  out["manifest"] = kManifestRevision;
  out["id"] = text(library.entry().id);
  out["version"] = text(library.entry().version);
  out["abi"] = {{"major", library.entry().abi_major}, {"minor", library.entry().abi_minor}};
  out["interfaces"] = library.interfaces();
  out["previews"] = library.preview().run != nullptr;
  const vmcp_config_0 config = library.config();
  if (config.schema != nullptr)
    out["config_schema"] = schema(config.schema(library.plugin()), "the configuration schema");
  out["tools"] = tools_of(library);
  return out.dump(2) + "\n";
}

}  // namespace vmcp::manifest_tool
