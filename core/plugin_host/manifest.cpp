#include "plugin_host/manifest.h"

#include <algorithm>

#include "base/glob.h"

namespace vmcp::plugin_host {
namespace {

Error bad(std::string why) {
  return make_error(Code::invalid_argument, "the manifest " + std::move(why));
}

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}
std::uint32_t number_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned()
             ? static_cast<std::uint32_t>(std::min<std::uint64_t>(it->get<std::uint64_t>(), 0xffffffffu))
             : 0;
}
bool flag_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

bool effect_of(const std::string& name, std::uint32_t& out) {
  if (name == "read")
    out = VMCP_EFFECT_READ;
  else if (name == "change")
    out = VMCP_EFFECT_CHANGE;
  else if (name == "destroy")
    out = VMCP_EFFECT_DESTROY;
  else
    return false;
  return true;
}

bool task_of(const std::string& name, std::uint32_t& flags) {
  if (name == "optional")
    flags |= VMCP_TOOL_TASK_OPTIONAL;
  else if (name == "required")
    flags |= VMCP_TOOL_TASK_REQUIRED;
  else
    return name.empty();
  return true;
}

// A list of texts as one, with commas. False: something in it is no text.
bool joined(const Json& object, const char* key, std::string& out) {
  const auto list = object.find(key);
  if (list == object.end() || !list->is_array()) return true;
  for (const Json& item : *list) {
    if (!item.is_string()) return false;
    if (!out.empty()) out += ',';
    out += item.get<std::string>();
  }
  return true;
}

std::string json_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? std::string() : dump_json(*it);
}

template <class Own>
void describe_offer(const Json& from, Own& to) {
  to.name = text_of(from, "name");
  to.title = text_of(from, "title");
  to.description = text_of(from, "description");
  to.mime_type = text_of(from, "mime_type");
  to.annotations = json_of(from, "annotations");
  to.meta = json_of(from, "meta");
}

// Calls `take` for each object of the list; the manifest may lack it. False: no list of at most 1000 objects.
template <class Take>
bool each_object(const Json& root, const char* key, Take take) {
  const auto list = root.find(key);
  if (list == root.end()) return true;
  if (!list->is_array() || list->size() > 1000) return false;
  for (const Json& item : *list) {
    if (!item.is_object()) return false;
    take(item);
  }
  return true;
}

Result<Offers> offers_of(const Json& root) {
  Offers out;
  out.completion = flag_of(root, "completion");
  out.reads = flag_of(root, "reads_resources");
  std::string schemes;
  if (!joined(root, "schemes", schemes)) return bad("has a URI scheme that is not text");
  auto checked = check_schemes(schemes);
  if (!checked) return bad("is wrong: " + checked.error().text);
  out.schemes = std::move(*checked);
  const bool fine = each_object(root, "resources",
                                [&](const Json& r) {
                                  ResourceDeclaration& d = out.resources.emplace_back();
                                  d.uri = text_of(r, "uri");
                                  describe_offer(r, d);
                                }) &&
                    each_object(root, "resource_templates",
                                [&](const Json& r) {
                                  TemplateDeclaration& d = out.templates.emplace_back();
                                  d.uri_template = text_of(r, "uri_template");
                                  describe_offer(r, d);
                                }) &&
                    each_object(root, "prompts", [&](const Json& r) {
                      PromptDeclaration& d = out.prompts.emplace_back();
                      d.name = text_of(r, "name");
                      d.title = text_of(r, "title");
                      d.description = text_of(r, "description");
                      d.arguments = json_of(r, "arguments");
                    });
  if (!fine) return bad("has resources, templates or prompts that are no list of at most 1000 objects");
  return out;
}

Result<Declaration> tool_of(const Json& t) {
  if (!t.is_object()) return bad("has a tool that is not an object");
  Declaration d;
  d.name = text_of(t, "name");
  d.title = text_of(t, "title");
  d.description = text_of(t, "description");
  if (!effect_of(text_of(t, "effect"), d.effect)) return bad("gives tool '" + d.name + "' no known effect");
  const std::pair<const char*, std::uint32_t> flags[] = {{"idempotent", VMCP_TOOL_IDEMPOTENT},
                                                         {"open_world", VMCP_TOOL_OPEN_WORLD},
                                                         {"no_upstream", VMCP_TOOL_NO_UPSTREAM},
                                                         {"needs_confirm", VMCP_TOOL_NEEDS_CONFIRM},
                                                         {"task_asks_first", VMCP_TOOL_TASK_ASKS_FIRST}};
  for (const auto& [name, bit] : flags)
    if (flag_of(t, name)) d.flags |= bit;
  d.cost = number_of(t, "cost");
  d.max_parallel = number_of(t, "max_parallel");
  d.time_hint_ms = number_of(t, "time_hint_ms");
  if (!task_of(text_of(t, "task"), d.flags)) return bad("gives tool '" + d.name + "' no known task support");
  if (!joined(t, "privileges", d.privileges) || !joined(t, "client_needs", d.client_needs))
    return bad("has a privilege or client need of tool '" + d.name + "' that is not text");
  d.view = text_of(t, "view");
  if (const auto schema = t.find("input_schema"); schema != t.end()) d.input_schema = dump_json(*schema);
  if (const auto schema = t.find("output_schema"); schema != t.end()) d.output_schema = dump_json(*schema);
  return d;
}

// "GET /api/vcenter/vm/*": a wildcard stays within its segment; "/**" at the end stands for everything below.
bool request_matches(std::string_view pattern, std::string_view method, std::string_view path) {
  const auto space = pattern.find(' ');
  if (space == std::string_view::npos || !glob_match(pattern.substr(0, space), method)) return false;
  std::string_view want = pattern.substr(space + 1);
  std::string_view is = path.substr(0, path.find('?'));
  for (;;) {
    if (want == "/**") return is.size() > 1;
    if (want.empty() || is.empty()) return want.empty() && is.empty();
    if (want.front() != '/' || is.front() != '/') return false;
    const auto want_end = std::min(want.find('/', 1), want.size());
    const auto is_end = std::min(is.find('/', 1), is.size());
    if (!glob_match(want.substr(1, want_end - 1), is.substr(1, is_end - 1))) return false;
    want.remove_prefix(want_end);
    is.remove_prefix(is_end);
  }
}

// "METHOD /path" or "Type.member".
bool is_operation(std::string_view text) {
  if (text.empty() || text.size() > 300 ||
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }))
    return false;
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return text.find('.') != std::string_view::npos;
  return space > 0 && text.substr(space + 1).starts_with('/') &&
         text.find(' ', space + 1) == std::string_view::npos;
}

Result<void> read_operations(const Json& root, Manifest& out) {
  const auto list = root.find("operations");
  if (list == root.end()) return {};
  if (!list->is_array() || list->size() > 1000) return bad("has operations that are no list of at most 1000");
  out.operations.emplace();
  for (const Json& operation : *list) {
    if (!operation.is_string() || !is_operation(operation.get_ref<const std::string&>()))
      return bad("has an operation that is neither \"METHOD /path\" nor \"Type.member\"");
    out.operations->push_back(operation.get<std::string>());
  }
  return {};
}

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

std::string tool_difference(const Declaration& said, const Declaration& is) {
  const auto differs = [&](const char* what) { return "tool '" + is.name + "' has another " + what; };
  if (said.title != is.title) return differs("title");
  if (said.description != is.description) return differs("description");
  if (said.effect != is.effect) return differs("effect");
  constexpr std::uint32_t kKnown = VMCP_TOOL_IDEMPOTENT | VMCP_TOOL_OPEN_WORLD | VMCP_TOOL_NO_UPSTREAM |
                                   VMCP_TOOL_NEEDS_CONFIRM | VMCP_TOOL_TASK_OPTIONAL |
                                   VMCP_TOOL_TASK_REQUIRED | VMCP_TOOL_TASK_ASKS_FIRST;
  if (said.flags != (is.flags & kKnown)) return differs("set of flags");
  if (std::max(said.cost, 1u) != is.cost) return differs("cost");
  if (said.max_parallel != is.max_parallel) return differs("max_parallel");
  if (said.time_hint_ms != is.time_hint_ms) return differs("time hint");
  if (without_spaces(said.privileges) != without_spaces(is.privileges)) return differs("list of privileges");
  if (said.client_needs != is.client_needs) return differs("list of client needs");
  if (said.view != is.view) return differs("view");
  if (!same_json(said.input_schema, is.input_schema)) return differs("input schema");
  if (!same_json(said.output_schema, is.output_schema)) return differs("output schema");
  return {};
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  const auto parsed = parse_trusted_json(text, kMaxManifestBytes);
  if (!parsed) return bad("is not JSON: " + parsed.error().text);
  const Json& root = *parsed;
  if (!root.is_object()) return bad("is not an object");
  Manifest m;
  m.id = text_of(root, "id");
  m.version = text_of(root, "version");
  if (m.id.empty() || m.version.empty()) return bad("names no id or no version");
  const auto abi = root.find("abi");
  if (abi == root.end() || !abi->is_object()) return bad("names no abi");
  m.abi_major = static_cast<std::uint16_t>(number_of(*abi, "major"));
  m.abi_minor = static_cast<std::uint16_t>(number_of(*abi, "minor"));
  if (const auto list = root.find("interfaces");
      list != root.end() && list->is_array() && list->size() <= 1000)
    for (const Json& name : *list)
      if (name.is_string()) m.interfaces.push_back(name.get<std::string>());
  m.previews = flag_of(root, "previews");
  if (const auto schema = root.find("config_schema"); schema != root.end()) m.config_schema = *schema;
  const auto tools = root.find("tools");
  if (tools == root.end() || !tools->is_array()) return bad("has no list of tools");
  if (tools->size() > 1000) return bad("lists more than 1000 tools");
  for (const Json& t : *tools) {
    auto d = tool_of(t);
    if (!d) return d.error();
    m.tools.push_back(std::move(*d));
  }
  if (auto r = read_operations(root, m); !r) return r.error();
  auto offers = offers_of(root);
  if (!offers) return offers.error();
  m.offers = std::move(*offers);
  return m;
}

bool Manifest::grants(std::string_view iface) const {
  return iface == VMCP_IFACE_LOG ||
         std::find(interfaces.begin(), interfaces.end(), iface) != interfaces.end();
}

bool Manifest::allows_request(std::string_view method, std::string_view path) const {
  return !operations || std::any_of(operations->begin(), operations->end(), [&](const std::string& pattern) {
    return request_matches(pattern, method, path);
  });
}

bool Manifest::allows_vim(std::string_view type, std::string_view member) const {
  if (!operations) return true;
  // Of a property's path the first name is the operation.
  const std::string operation = std::string(type) + "." + std::string(member.substr(0, member.find('.')));
  return std::any_of(operations->begin(), operations->end(), [&](const std::string& pattern) {
    return pattern.find(' ') == std::string::npos && glob_match(pattern, operation);
  });
}

std::string difference(const Manifest& manifest, const CheckedEntry& entry,
                       const std::vector<Declaration>& tools, const Offers& offers, bool previews) {
  if (manifest.id != entry.id)
    return "the manifest is of '" + manifest.id + "', the library of '" + entry.id + "'";
  if (manifest.version != entry.version)
    return "the manifest is of version " + manifest.version + ", the library of " + entry.version;
  if (manifest.previews != previews) return "the manifest and the library disagree about previews";
  if (manifest.tools.size() != tools.size())
    return "the manifest lists " + std::to_string(manifest.tools.size()) + " tools, the library offers " +
           std::to_string(tools.size());
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (manifest.tools[i].name != tools[i].name)
      return "the manifest calls tool " + std::to_string(i) + " '" + manifest.tools[i].name +
             "', the library '" + tools[i].name + "'";
    if (std::string d = tool_difference(manifest.tools[i], tools[i]); !d.empty()) return d;
  }
  return offers_difference(manifest.offers, offers);
}

}  // namespace vmcp::plugin_host
