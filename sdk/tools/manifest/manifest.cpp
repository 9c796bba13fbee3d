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

Json parsed(const char* json_text, const char* which) {
  Json value = Json::parse(json_text, nullptr, false);
  if (value.is_discarded()) throw std::runtime_error(std::string(which) + " is not JSON");
  return value;
}

Json schema(const char* json_text, const char* which) {
  Json value = parsed(json_text, which);
  if (!value.is_object() || value.value("type", Json()) != "object")
    throw std::runtime_error(std::string(which) +
                             R"( must be a JSON object with "type":"object" at its root)");
  return value;
}

Json names_in(const std::string& list) {
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

const char* task_name(std::uint32_t flags) {
  const std::uint32_t task = flags & (VMCP_TOOL_TASK_OPTIONAL | VMCP_TOOL_TASK_REQUIRED);
  if (task == 0) return nullptr;
  if (task == VMCP_TOOL_TASK_OPTIONAL) return "optional";
  if (task == VMCP_TOOL_TASK_REQUIRED) return "required";
  throw std::runtime_error("a task cannot be optional and required");
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
  out["privileges"] = names_in(text(tool.privileges));
  const char* task = task_name(tool.flags);
  if (task != nullptr) out["task"] = task;
  if ((tool.flags & VMCP_TOOL_TASK_ASKS_FIRST) != 0) out["task_asks_first"] = true;
  if (tool.client_needs != nullptr) out["client_needs"] = names_in(tool.client_needs);
  if (tool.view != nullptr) out["view"] = tool.view;
  if (tool.input_schema == nullptr) throw std::runtime_error("it has no input schema");
  out["input_schema"] = schema(tool.input_schema, "its input schema");
  if (tool.output_schema != nullptr) out["output_schema"] = schema(tool.output_schema, "its output schema");
  return out;
}

// Every declaration of one kind as JSON. `describe` may throw; the author is told which one it was.
template <class Table, class Count, class At, class Describe>
Json list_of(const char* kind, const Library& library, Count count, At at, Describe describe) {
  Json out = Json::array();
  if (count == nullptr || at == nullptr) return out;
  const std::uint32_t total = count(library.plugin());
  for (std::uint32_t i = 0; i < total; ++i) {
    const auto declared = detail::read_table<Table>(at(library.plugin(), i));
    try {
      out.push_back(describe(declared));
    } catch (const std::exception& e) {
      throw std::runtime_error(std::string(kind) + " " + std::to_string(i) + " \"" + text(declared.name) +
                               "\": " + e.what());
    }
  }
  return out;
}

template <class Declared>
void describe(Json& out, const Declared& declared) {
  out["name"] = text(declared.name);
  out["title"] = text(declared.title);
  out["description"] = text(declared.description);
  out["mime_type"] = text(declared.mime_type);
  if (declared.annotations != nullptr)
    out["annotations"] = parsed(declared.annotations, "the set of annotations");
  if (declared.meta != nullptr) out["meta"] = parsed(declared.meta, "meta");
}

Json resource_of(const vmcp_resource& resource) {
  Json out;
  out["uri"] = text(resource.uri);
  describe(out, resource);
  return out;
}

Json template_of(const vmcp_resource_template& declared) {
  Json out;
  out["uri_template"] = text(declared.uri_template);
  describe(out, declared);
  return out;
}

Json prompt_of(const vmcp_prompt& prompt) {
  Json out;
  out["name"] = text(prompt.name);
  out["title"] = text(prompt.title);
  out["description"] = text(prompt.description);
  if (prompt.arguments != nullptr) out["arguments"] = parsed(prompt.arguments, "the list of arguments");
  return out;
}

// What a plugin offers besides tools; nothing is written of what it lacks.
void add_offers(Json& out, const Library& library) {
  if (const vmcp_resources_1 table = library.resources(); table.read != nullptr) {
    out["reads_resources"] = true;
    if (table.schemes != nullptr) {
      if (Json schemes = names_in(text(table.schemes(library.plugin()))); !schemes.empty())
        out["schemes"] = std::move(schemes);
    }
    out["resources"] = list_of<vmcp_resource>("resource", library, table.count, table.at, resource_of);
    out["resource_templates"] = list_of<vmcp_resource_template>(
        "resource template", library, table.template_count, table.template_at, template_of);
  }
  if (const vmcp_prompts_1 table = library.prompts(); table.get != nullptr)
    out["prompts"] = list_of<vmcp_prompt>("prompt", library, table.count, table.at, prompt_of);
  if (library.completion().complete != nullptr) out["completion"] = true;
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
  const vmcp_config_1 config = library.config();
  if (config.schema != nullptr)
    out["config_schema"] = schema(config.schema(library.plugin()), "the configuration schema");
  if (const vmcp_operations_1 table = library.operations(); table.list != nullptr)
    out["operations"] = names_in(text(table.list(library.plugin())));
  const vmcp_tools_1 tools = library.tools();
  out["tools"] = list_of<vmcp_tool>("tool", library, tools.count, tools.at, tool_of);
  add_offers(out, library);
  return out.dump(2) + "\n";
}

}  // namespace vmcp::manifest_tool
