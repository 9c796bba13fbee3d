#include "plugin_host/offers.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/json.h"
#include "plugin_host/foreign.h"

namespace vmcp::plugin_host {
namespace {

constexpr std::size_t kMaxTitle = 256, kMaxDescription = 4096, kMaxMime = 128, kMaxOfferJson = 64 * 1024;
constexpr std::size_t kMaxSchemes = 8, kMaxArguments = 32;
// vsphere:// is the host's own; the others mean the same to everybody, so that no plugin can be their owner.
constexpr std::string_view kReservedSchemes[] = {"vsphere", "ui",         "http",  "https", "file",
                                                 "data",    "javascript", "about", "blob"};

bool is_json_object(const std::string& text) {
  if (text.empty()) return true;
  const auto value = parse_trusted_json(text, kMaxOfferJson);
  return value.ok() && value->is_object();
}

// What resources and templates have in common, with the name of what is wrong; empty when nothing is.
template <class Foreign, class Own>
std::string copy_description(const Foreign& from, Own& to) {
  if (!bounded_text(from.name, kMaxTitle, to.name) || to.name.empty())
    return "the name is missing or too long";
  if (!bounded_text(from.title, kMaxTitle, to.title)) return "the title is too long";
  if (!bounded_text(from.description, kMaxDescription, to.description)) return "the description is too long";
  if (!bounded_text(from.mime_type, kMaxMime, to.mime_type)) return "the MIME type is too long";
  if (!bounded_text(from.annotations, kMaxOfferJson, to.annotations) || !is_json_object(to.annotations))
    return "the annotations are too long or no JSON object";
  if (!bounded_text(from.meta, kMaxOfferJson, to.meta) || !is_json_object(to.meta))
    return "meta is too long or no JSON object";
  return {};
}

bool has_blank_or_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
}

// Empty when the array is fit to be a prompt's arguments.
std::string bad_arguments(const std::string& text) {
  if (text.empty()) return {};
  const auto list = parse_trusted_json(text, kMaxOfferJson);
  if (!list || !list->is_array() || list->size() > kMaxArguments)
    return "the arguments are no JSON array of at most " + std::to_string(kMaxArguments);
  std::set<std::string> names;
  for (const Json& argument : *list) {
    const auto name = argument.is_object() ? argument.find("name") : argument.end();
    if (!argument.is_object() || name == argument.end() || !name->is_string() ||
        !is_plain_name(name->get_ref<const std::string&>()))
      return "an argument has no name of 1-64 characters [A-Za-z0-9_.-]";
    if (!names.insert(name->get<std::string>()).second)
      return "the argument '" + name->get<std::string>() + "' is there twice";
    for (const char* key : {"title", "description"})
      if (const auto it = argument.find(key); it != argument.end() && !it->is_string())
        return "the argument '" + name->get<std::string>() + "' has a " + key + " that is no text";
    if (const auto it = argument.find("required"); it != argument.end() && !it->is_boolean())
      return "the argument '" + name->get<std::string>() +
             "' has a 'required' that is neither true nor false";
  }
  return {};
}

template <class Own>
std::string described_otherwise(const Own& said, const Own& is) {
  if (said.name != is.name) return "name";
  if (said.title != is.title) return "title";
  if (said.description != is.description) return "description";
  if (said.mime_type != is.mime_type) return "MIME type";
  if (!same_json(said.annotations, is.annotations)) return "set of annotations";
  if (!same_json(said.meta, is.meta)) return "meta";
  return {};
}

std::string other_count(const char* what, std::size_t said, std::size_t is) {
  return "the manifest lists " + std::to_string(said) + " " + what + ", the library offers " +
         std::to_string(is);
}

}  // namespace

bool same_json(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a.empty() && b.empty();
  const auto left = parse_trusted_json(a), right = parse_trusted_json(b);
  return left.ok() && right.ok() && *left == *right;
}

Result<vmcp_resources_1> check_resources(const vmcp_resources_1* resources) {
  if (resources == nullptr) return vmcp_resources_1{};
  if (!VMCP_HAS(resources, read))
    return unfit("the " VMCP_IFACE_RESOURCES " table's size is too small; rebuild with this host's SDK");
  const vmcp_resources_1 own = copy_foreign(resources);
  if (own.count == nullptr || own.at == nullptr || own.read == nullptr)
    return unfit("the " VMCP_IFACE_RESOURCES " table has a null function (count, at or read)");
  if ((own.template_count == nullptr) != (own.template_at == nullptr))
    return unfit("the " VMCP_IFACE_RESOURCES " table has one of template_count and template_at, not both");
  return own;
}

Result<vmcp_prompts_1> check_prompts(const vmcp_prompts_1* prompts) {
  if (prompts == nullptr) return vmcp_prompts_1{};
  if (!VMCP_HAS(prompts, get))
    return unfit("the " VMCP_IFACE_PROMPTS " table's size is too small; rebuild with this host's SDK");
  const vmcp_prompts_1 own = copy_foreign(prompts);
  if (own.count == nullptr || own.at == nullptr || own.get == nullptr)
    return unfit("the " VMCP_IFACE_PROMPTS " table has a null function (count, at or get)");
  return own;
}

Result<vmcp_completion_1> check_completion(const vmcp_completion_1* completion) {
  if (completion == nullptr) return vmcp_completion_1{};
  if (!VMCP_HAS(completion, complete) || completion->complete == nullptr)
    return unfit("the " VMCP_IFACE_COMPLETION " table is there but has no complete");
  return copy_foreign(completion);
}

Result<ResourceDeclaration> check_resource(const vmcp_resource* resource) {
  if (resource == nullptr) return unfit("a resource's declaration is null");
  if (!VMCP_HAS(resource, name))
    return unfit("a resource's declaration is too small; rebuild with this host's SDK");
  const vmcp_resource own = copy_foreign(resource);
  ResourceDeclaration d;
  if (!bounded_text(own.uri, kMaxUriBytes, d.uri) || d.uri.empty() || has_blank_or_control(d.uri))
    return unfit("a resource's URI is missing, too long or has a blank in it");
  if (const std::string wrong = copy_description(own, d); !wrong.empty())
    return unfit("resource '" + d.uri + "': " + wrong);
  return d;
}

Result<TemplateDeclaration> check_template(const vmcp_resource_template* declared) {
  if (declared == nullptr) return unfit("a resource template's declaration is null");
  if (!VMCP_HAS(declared, name))
    return unfit("a resource template's declaration is too small; rebuild with this host's SDK");
  const vmcp_resource_template own = copy_foreign(declared);
  TemplateDeclaration d;
  if (!bounded_text(own.uri_template, kMaxUriBytes, d.uri_template) || d.uri_template.empty() ||
      has_blank_or_control(d.uri_template))
    return unfit("a URI template is missing, too long or has a blank in it");
  if (const std::string wrong = copy_description(own, d); !wrong.empty())
    return unfit("resource template '" + d.uri_template + "': " + wrong);
  return d;
}

Result<PromptDeclaration> check_prompt(const vmcp_prompt* prompt) {
  if (prompt == nullptr) return unfit("a prompt's declaration is null");
  if (!VMCP_HAS(prompt, arguments))
    return unfit("a prompt's declaration is too small; rebuild with this host's SDK");
  const vmcp_prompt own = copy_foreign(prompt);
  PromptDeclaration d;
  if (!bounded_text(own.name, 64, d.name) || !is_plain_name(d.name))
    return unfit("a prompt's name is missing, too long or has a character outside [A-Za-z0-9_.-]");
  const std::string who = "prompt '" + d.name + "': ";
  if (!bounded_text(own.title, kMaxTitle, d.title)) return unfit(who + "the title is too long");
  if (!bounded_text(own.description, kMaxDescription, d.description) || d.description.empty())
    return unfit(who + "the description is missing or too long; people choose prompts by it");
  if (!bounded_text(own.arguments, kMaxOfferJson, d.arguments))
    return unfit(who + "the arguments are too long");
  if (const std::string wrong = bad_arguments(d.arguments); !wrong.empty()) return unfit(who + wrong);
  return d;
}

Result<std::vector<std::string>> check_schemes(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string scheme(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
    };
    // Without a dot it can be no plugin's id.
    if (scheme.empty() || scheme.size() > 64 || scheme[0] < 'a' || scheme[0] > 'z' ||
        !std::all_of(scheme.begin(), scheme.end(), fits))
      return unfit("the URI scheme '" + scheme.substr(0, 64) +
                   "' is not spelled as one: a lower-case letter, then letters, digits, '+' or '-'");
    if (std::find(std::begin(kReservedSchemes), std::end(kReservedSchemes), scheme) !=
        std::end(kReservedSchemes))
      return unfit("the URI scheme '" + scheme + "' cannot belong to a plugin; choose another");
    if (std::find(out.begin(), out.end(), scheme) != out.end())
      return unfit("the URI scheme '" + scheme + "' is named twice");
    out.push_back(scheme);
  }
  if (out.size() > kMaxSchemes)
    return unfit("it names more than " + std::to_string(kMaxSchemes) + " URI schemes");
  return out;
}

bool owns_uri(std::string_view plugin_id, const std::vector<std::string>& schemes, std::string_view uri) {
  const std::size_t at = uri.find("://");
  if (at == std::string_view::npos) return false;
  const std::string_view scheme = uri.substr(0, at), rest = uri.substr(at + 3);
  if (scheme.find('{') != std::string_view::npos) return false;
  if (scheme == plugin_id) return true;
  if (scheme == "ui")
    return rest.size() > plugin_id.size() && rest.substr(0, plugin_id.size()) == plugin_id &&
           rest[plugin_id.size()] == '/';
  return std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

Result<void> check_offers(std::string_view plugin_id, const Offers& offers,
                          const std::vector<Declaration>& tools) {
  const auto foreign = [&](const std::string& uri) {
    return unfit("'" + uri + "' is not this plugin's: use " + std::string(plugin_id) + "://…, ui://" +
                 std::string(plugin_id) + "/… or name the scheme in schemes()");
  };
  std::set<std::string_view> seen;
  for (const ResourceDeclaration& r : offers.resources) {
    if (!owns_uri(plugin_id, offers.schemes, r.uri)) return foreign(r.uri);
    if (!seen.insert(r.uri).second) return unfit("the resource '" + r.uri + "' is declared twice");
  }
  for (const TemplateDeclaration& t : offers.templates) {
    if (!owns_uri(plugin_id, offers.schemes, t.uri_template)) return foreign(t.uri_template);
    if (!seen.insert(t.uri_template).second)
      return unfit("the template '" + t.uri_template + "' is declared twice");
  }
  std::set<std::string_view> names;
  for (const PromptDeclaration& p : offers.prompts)
    if (!names.insert(p.name).second) return unfit("the prompt '" + p.name + "' is declared twice");
  for (const Declaration& tool : tools) {
    if (tool.view.empty()) continue;
    if (!offers.reads)
      return unfit("tool '" + tool.name +
                   "' has a view, but the plugin has no " VMCP_IFACE_RESOURCES " to read it from");
    if (tool.view.compare(0, 5, "ui://") != 0 || !owns_uri(plugin_id, offers.schemes, tool.view))
      return unfit("the view of tool '" + tool.name + "' must lie under ui://" + std::string(plugin_id) +
                   "/");
  }
  return {};
}

std::string offers_difference(const Offers& said, const Offers& is) {
  if (said.schemes != is.schemes) return "the manifest and the library disagree about URI schemes";
  if (said.reads != is.reads) return "the manifest and the library disagree about resources";
  if (said.completion != is.completion) return "the manifest and the library disagree about completion";
  if (said.resources.size() != is.resources.size())
    return other_count("resources", said.resources.size(), is.resources.size());
  for (std::size_t i = 0; i < is.resources.size(); ++i) {
    const std::string who = "resource '" + is.resources[i].uri + "' has another ";
    if (said.resources[i].uri != is.resources[i].uri) return who + "URI";
    if (const std::string what = described_otherwise(said.resources[i], is.resources[i]); !what.empty())
      return who + what;
  }
  if (said.templates.size() != is.templates.size())
    return other_count("resource templates", said.templates.size(), is.templates.size());
  for (std::size_t i = 0; i < is.templates.size(); ++i) {
    const std::string who = "template '" + is.templates[i].uri_template + "' has another ";
    if (said.templates[i].uri_template != is.templates[i].uri_template) return who + "URI";
    if (const std::string what = described_otherwise(said.templates[i], is.templates[i]); !what.empty())
      return who + what;
  }
  if (said.prompts.size() != is.prompts.size())
    return other_count("prompts", said.prompts.size(), is.prompts.size());
  for (std::size_t i = 0; i < is.prompts.size(); ++i) {
    const PromptDeclaration &a = said.prompts[i], &b = is.prompts[i];
    const std::string who = "prompt '" + b.name + "' has another ";
    if (a.name != b.name) return who + "name";
    if (a.title != b.title) return who + "title";
    if (a.description != b.description) return who + "description";
    if (!same_json(a.arguments, b.arguments)) return who + "list of arguments";
  }
  return {};
}

}  // namespace vmcp::plugin_host
