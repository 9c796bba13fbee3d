#include "tools/registry.h"

#include <algorithm>
#include <array>

#include "base/glob.h"
#include "inventory/inventory.h"
#include "tools/host_arguments.h"
#include "tools/schema.h"

namespace vmcp::tools {
namespace {

using Ordered = nlohmann::ordered_json;

Error refuse(const std::string& tool, std::string why) {
  return make_error(Code::invalid_argument, "tool '" + tool + "': " + std::move(why));
}

Effect effect_of(std::uint32_t effect) {
  return effect == VMCP_EFFECT_READ     ? Effect::read
         : effect == VMCP_EFFECT_CHANGE ? Effect::change
                                        : Effect::destroy;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  std::string current;
  for (const char c : list + ",") {
    if (c == ',') {
      if (!current.empty()) out.push_back(std::move(current));
      current.clear();
    } else if (c != ' ') {
      current += c;
    }
  }
  return out;
}

// One property's mark, or that of an array's items; false when it has none.
bool read_mark(const Ordered& property, const std::string& pointer, ObjectArgument& out) {
  if (!property.is_object() || !property.contains("x-vmcp-kind")) return false;
  out.pointer = pointer;
  out.kind = property.value("x-vmcp-kind", "");
  out.within = property.value("x-vmcp-within", "");
  out.filter = property.value("x-vmcp-use", "target") == "filter";
  return true;
}

Result<std::vector<ObjectArgument>> read_marks(const Ordered& schema, const std::string& tool) {
  std::vector<ObjectArgument> out;
  if (!schema.contains("properties")) return out;
  for (const auto& [name, property] : schema["properties"].items()) {
    if (!property.is_object()) continue;
    ObjectArgument argument;
    const bool marked =
        read_mark(property, "/" + name, argument) ||
        (property.contains("items") && read_mark(property["items"], "/" + name + "/*", argument));
    if (!marked) continue;
    if (argument.kind != "snapshot" && !inventory::is_kind(argument.kind))
      return refuse(tool, "x-vmcp-kind '" + argument.kind + "' is no kind that the host knows");
    if (argument.kind == "snapshot" && argument.within.empty())
      return refuse(tool, "a snapshot needs x-vmcp-within with the pointer of its VM");
    out.push_back(std::move(argument));
  }
  // Wholes before their parts, so that a part is resolved within what was resolved before.
  std::stable_sort(out.begin(), out.end(), [](const ObjectArgument& a, const ObjectArgument& b) {
    return a.within.empty() && !b.within.empty();
  });
  for (const ObjectArgument& argument : out) {
    if (argument.within.empty()) continue;
    const bool there = std::any_of(out.begin(), out.end(), [&](const ObjectArgument& whole) {
      return whole.pointer == argument.within && whole.within.empty();
    });
    if (!there) return refuse(tool, "x-vmcp-within '" + argument.within + "' names no object argument");
  }
  return out;
}

Ordered annotations_of(const Tool& tool) {
  Ordered out;
  if (!tool.title.empty()) out["title"] = tool.title;
  out["readOnlyHint"] = !tool.changes();
  out["destructiveHint"] = tool.effect == Effect::destroy;
  out["idempotentHint"] = tool.idempotent || !tool.changes();
  out["openWorldHint"] = tool.open_world;
  return out;
}

void render(Tool& tool, const Ordered& input, const std::string& output_schema) {
  Ordered old;
  old["name"] = tool.name;
  old["description"] = tool.description;
  old["inputSchema"] = input;
  old["annotations"] = annotations_of(tool);
  tool.listed_2025_03 = old.dump(-1, ' ', false, Ordered::error_handler_t::replace);

  Ordered modern;
  modern["name"] = tool.name;
  if (!tool.title.empty()) modern["title"] = tool.title;
  modern["description"] = tool.description;
  modern["inputSchema"] = input;
  if (!output_schema.empty()) modern["outputSchema"] = Ordered::parse(output_schema);
  modern["annotations"] = annotations_of(tool);
  // Twice: what the extension says, and what its first hosts read.
  if (!tool.view.empty())
    modern["_meta"] = {{"ui", {{"resourceUri", tool.view}}}, {"ui/resourceUri", tool.view}};
  tool.listed_modern = modern.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

Result<ToolPtr> make_tool(const plugin_host::Declaration& d, const plugin_host::Loaded& loaded,
                          std::uint32_t index) {
  auto tool = std::make_shared<Tool>();
  tool->name = loaded.choice.prefix + d.name;
  tool->title = d.title;
  tool->description = d.description;
  tool->effect = effect_of(d.effect);
  tool->idempotent = (d.flags & VMCP_TOOL_IDEMPOTENT) != 0;
  tool->open_world = (d.flags & VMCP_TOOL_OPEN_WORLD) != 0;
  tool->no_upstream = (d.flags & VMCP_TOOL_NO_UPSTREAM) != 0;
  tool->needs_confirm = (d.flags & VMCP_TOOL_NEEDS_CONFIRM) != 0;
  tool->cost = d.cost;
  tool->max_parallel = d.max_parallel;
  tool->time_hint_ms = d.time_hint_ms;
  tool->privileges = split(d.privileges);
  tool->task = (d.flags & VMCP_TOOL_TASK_REQUIRED) != 0   ? Tool::Task::required
               : (d.flags & VMCP_TOOL_TASK_OPTIONAL) != 0 ? Tool::Task::optional
                                                          : Tool::Task::never;
  tool->asks_first = (d.flags & VMCP_TOOL_TASK_ASKS_FIRST) != 0;
  tool->client_needs = split(d.client_needs);
  tool->view = d.view;
  tool->plugin = loaded.plugin;
  tool->index = index;
  tool->apart = loaded.library != nullptr && !loaded.choice.in_process;
  tool->plugin_label = loaded.plugin->id() + " " + loaded.plugin->version();
  tool->plugin_members = plugin_host::audit_members(loaded);
  if (tool->needs_confirm && !tool->changes())
    return refuse(d.name, "it reads only and yet needs confirm; declare its effect");

  if (const auto guarded = parse_trusted_json(d.input_schema, 1u << 20); !guarded || !guarded->is_object())
    return refuse(d.name, "its input schema is not a JSON object");
  const Ordered schema = Ordered::parse(d.input_schema, nullptr, false);
  if (schema.value("type", "") != "object")
    return refuse(d.name, "its input schema's root is not \"type\":\"object\"");
  auto marks = read_marks(schema, d.name);
  if (!marks) return marks.error();
  tool->objects = std::move(*marks);
  if (tool->no_upstream && !tool->objects.empty())
    return refuse(d.name, "it has no upstream and yet names objects of a vCenter");
  auto full = with_host_arguments(schema, *tool);
  if (!full) return refuse(d.name, full.error().text);
  auto input = Schema::compile(full->dump(), "input schema");
  if (!input) return refuse(d.name, input.error().text);
  tool->input = *input;
  if (const auto properties = full->find("properties"); properties != full->end())
    for (const auto& [name, property] : properties->items())
      if (property.is_object() && property.contains("default")) tool->defaults[name] = property["default"];
  if (!d.output_schema.empty()) {
    if (const auto guarded = parse_trusted_json(d.output_schema, 1u << 20);
        !guarded || !guarded->is_object() || guarded->value("type", "") != "object")
      return refuse(d.name, "its output schema is not a JSON object with \"type\":\"object\"");
    auto output = Schema::compile(d.output_schema, "output schema");
    if (!output) return refuse(d.name, output.error().text);
    tool->output = *output;
  }
  render(*tool, *full, d.output_schema);
  return ToolPtr(tool);
}

}  // namespace

bool is_reserved_name(std::string_view name) {
  static constexpr std::array<std::string_view, 16> kReserved = {
      "list_vms",           "get_vm_details",      "power_on_vm",
      "power_off_vm",       "restart_vm",          "delete_vm",
      "list_vm_snapshots",  "create_vm_snapshot",  "delete_vm_snapshot",
      "list_hosts",         "list_datastores",     "list_networks",
      "list_datacenters",   "get_datastore_usage", "get_resource_utilization_summary",
      "modify_vm_resources"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

Result<void> Registry::add(const plugin_host::Loaded& loaded) {
  std::vector<ToolPtr> fresh;
  const auto& declarations = loaded.plugin->tools();
  for (std::uint32_t i = 0; i < declarations.size(); ++i) {
    const auto& patterns = loaded.choice.tools;
    const bool wanted =
        patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) {
          return glob_match(p, declarations[i].name);
        });
    if (!wanted) continue;
    auto tool = make_tool(declarations[i], loaded, i);
    if (!tool) return tool.error();
    const std::string& name = (*tool)->name;
    if (name.size() > 64) return refuse(name, "with its prefix the name is longer than 64 characters");
    const auto same = [&](const ToolPtr& other) { return other->name == name; };
    const bool taken =
        by_name_.contains(name) || std::find_if(fresh.begin(), fresh.end(), same) != fresh.end();
    if (taken)
      return refuse(
          name, "the name is taken; give this plugin a prefix in its [[plugin]] entry, or switch one off");
    if (is_reserved_name(name) && !loaded.first_party)
      return refuse(
          name,
          "the name is reserved for a first-party tool; give this plugin a prefix in its [[plugin]] entry");
    fresh.push_back(std::move(*tool));
  }
  for (ToolPtr& tool : fresh) {
    by_name_.emplace(tool->name, tool);
    tools_.push_back(std::move(tool));
  }
  return {};
}

ToolPtr Registry::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

}  // namespace vmcp::tools
