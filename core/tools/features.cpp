#include "tools/features.h"

#include <algorithm>

#include "plugin_host/offers.h"

namespace vmcp::tools {
namespace {

using Ordered = nlohmann::ordered_json;

void put(Ordered& out, const char* key, const std::string& text) {
  if (!text.empty()) out[key] = text;
}

// Checked at load: each is an object, or empty.
void put_object(Ordered& out, const char* key, const std::string& json) {
  if (!json.empty()) out[key] = Ordered::parse(json, nullptr, false);
}

std::string text_of(const Ordered& value) {
  return value.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

// The like of a tool that reading, prompts and completion of one plugin are, for the chain: it has a plugin,
// a name for the audit, limits and a count of stuck calls.
ToolPtr reader(std::shared_ptr<plugin_host::Plugin> plugin, std::string label, std::string members = {}) {
  auto tool = std::make_shared<Tool>();
  tool->plugin = std::move(plugin);
  tool->plugin_label = std::move(label);
  tool->plugin_members = std::move(members);
  tool->effect = Effect::read;
  tool->cost = 1;
  return tool;
}

template <class Declaration>
std::string listed(const char* uri_key, const std::string& uri, const Declaration& d) {
  Ordered out;
  out[uri_key] = uri;
  out["name"] = d.name;
  put(out, "title", d.title);
  put(out, "description", d.description);
  put(out, "mimeType", d.mime_type);
  put_object(out, "annotations", d.annotations);
  put_object(out, "_meta", d.meta);
  return text_of(out);
}

Prompt prompt_of(const plugin_host::PromptDeclaration& d, std::uint32_t index, const ToolPtr& getter,
                 bool several_vcenters) {
  Prompt prompt;
  prompt.name = d.name;
  prompt.index = index;
  prompt.getter = getter;
  Ordered out;
  out["name"] = d.name;
  put(out, "title", d.title);
  put(out, "description", d.description);
  Ordered arguments = Ordered::array();
  if (!d.arguments.empty()) arguments = Ordered::parse(d.arguments, nullptr, false);
  for (const Ordered& argument : arguments)
    prompt.arguments.push_back({argument.value("name", ""), argument.value("required", false)});
  if (several_vcenters) {
    Ordered hostname;
    hostname["name"] = kHostname;
    hostname["description"] = "The vCenter that it is about. Left out: the first one.";
    arguments.push_back(std::move(hostname));
  }
  if (!arguments.empty()) out["arguments"] = std::move(arguments);
  prompt.listed = text_of(out);
  return prompt;
}

struct HostTemplate {
  const char* kind;
  const char* title;
  const char* description;
};

constexpr HostTemplate kHostTemplates[] = {
    {"datacenter", "Datacenter", "A datacenter: its place and what is in it."},
    {"cluster", "Cluster", "A cluster: its resources, HA and DRS."},
    {"host", "ESXi host", "A host: state, hardware, use of CPU and memory."},
    {"vm", "Virtual machine", "A virtual machine: power state, hardware, guest, use, snapshots present."},
    {"datastore", "Datastore", "A datastore: capacity, free space, type, accessibility."},
};

}  // namespace

Features::Features() : host_(reader(nullptr, "host")) {
  plugin_host::TemplateDeclaration vcenter{
      "", "vcenter", "vCenter", "A vCenter: version, build, where it is.", "application/json", "", ""};
  const std::string root = "vsphere://{vcenter}/";
  templates_.push_back({root, listed("uriTemplate", root, vcenter), host_});
  for (const HostTemplate& t : kHostTemplates) {
    const std::string uri = root + t.kind + "/{" + t.kind + "}";
    const plugin_host::TemplateDeclaration d{
        uri,
        t.kind,
        t.title,
        std::string(t.description) + " By id, name or inventory path (percent-encoded).",
        "application/json",
        "",
        ""};
    templates_.push_back({uri, listed("uriTemplate", uri, d), host_});
  }
}

Result<void> Features::add(const plugin_host::Loaded& loaded, bool several_vcenters) {
  const plugin_host::Plugin& plugin = *loaded.plugin;
  const std::string& id = plugin.id();
  for (const std::string& scheme : plugin.schemes())
    for (const Owner& owner : owners_)
      if (std::find(owner.schemes.begin(), owner.schemes.end(), scheme) != owner.schemes.end())
        return make_error(Code::invalid_argument, "the scheme '" + scheme + "://' belongs to plugin " +
                                                      owner.plugin_id + "; switch one of the two off");
  for (const auto& d : plugin.prompts())
    if (find_prompt(d.name) != nullptr)
      return make_error(Code::invalid_argument,
                        "prompt '" + d.name + "': the name is taken; switch one of the two plugins off");
  const ToolPtr own =
      reader(loaded.plugin, id + " " + loaded.plugin->version(), plugin_host::audit_members(loaded));
  for (const auto& d : plugin.resources()) resources_.push_back({d.uri, listed("uri", d.uri, d), own});
  for (const auto& d : plugin.templates())
    templates_.push_back({d.uri_template, listed("uriTemplate", d.uri_template, d), own});
  for (std::uint32_t i = 0; i < plugin.prompts().size(); ++i)
    prompts_.push_back(prompt_of(plugin.prompts()[i], i, own, several_vcenters));
  if (plugin.has_resources()) owners_.push_back({id, plugin.schemes(), own});
  return {};
}

const Prompt* Features::find_prompt(std::string_view name) const {
  const auto it =
      std::find_if(prompts_.begin(), prompts_.end(), [&](const Prompt& p) { return p.name == name; });
  return it == prompts_.end() ? nullptr : &*it;
}

ToolPtr Features::reader_of(std::string_view uri) const {
  if (uri.starts_with("vsphere://")) return host_;
  for (const Owner& owner : owners_)
    if (plugin_host::owns_uri(owner.plugin_id, owner.schemes, uri)) return owner.reader;
  return nullptr;
}

}  // namespace vmcp::tools
