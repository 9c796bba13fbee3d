// What a plugin offers besides tools: resources, templates, prompts. Pure checks on foreign declarations, as
// in abi_check.h; each copies what it accepts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin_host/abi_check.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {

struct ResourceDeclaration {
  std::string uri, name, title, description, mime_type;
  std::string annotations, meta;  // JSON objects, or empty
  bool operator==(const ResourceDeclaration&) const = default;
};

struct TemplateDeclaration {
  std::string uri_template, name, title, description, mime_type;
  std::string annotations, meta;  // JSON objects, or empty
  bool operator==(const TemplateDeclaration&) const = default;
};

struct PromptDeclaration {
  std::string name, title, description;
  std::string arguments;  // JSON array, or empty
  bool operator==(const PromptDeclaration&) const = default;
};

struct Offers {
  std::vector<std::string> schemes;  // besides the plugin's id
  std::vector<ResourceDeclaration> resources;
  std::vector<TemplateDeclaration> templates;
  std::vector<PromptDeclaration> prompts;
  bool reads = false;  // has vmcp.resources: may be asked for URIs of its own, listed or not
  bool completion = false;
};

// Absent tables come back zeroed. Refuses a table that is there but lacks a required function.
Result<vmcp_resources_1> check_resources(const vmcp_resources_1* resources);
Result<vmcp_prompts_1> check_prompts(const vmcp_prompts_1* prompts);
Result<vmcp_completion_1> check_completion(const vmcp_completion_1* completion);

// Refuse: null, texts missing or over their bounds, JSON that is not what it should be.
Result<ResourceDeclaration> check_resource(const vmcp_resource* resource);
Result<TemplateDeclaration> check_template(const vmcp_resource_template* declared);
Result<PromptDeclaration> check_prompt(const vmcp_prompt* prompt);
// Comma-separated further schemes. Refuses bad spelling, more than 8, and those that are the host's.
Result<std::vector<std::string>> check_schemes(std::string_view list);

// Is `uri` of the plugin: <id>://…, ui://<id>/…, or one of its further schemes? A template is judged by what
// stands before its first brace.
bool owns_uri(std::string_view plugin_id, const std::vector<std::string>& schemes, std::string_view uri);

// All of a plugin's offers fit together: each URI is its own, also of the tools' views, and no URI, template
// or prompt is there twice.
Result<void> check_offers(std::string_view plugin_id, const Offers& offers,
                          const std::vector<Declaration>& tools);

// Two JSON texts with the same value; an empty one is like an empty one only.
bool same_json(const std::string& a, const std::string& b);

// The first difference between what the manifest says and what the library declares; empty when none.
// JSON is compared as values, not as bytes.
std::string offers_difference(const Offers& said, const Offers& is);

}  // namespace vmcp::plugin_host
