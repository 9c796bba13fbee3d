#include "plugin_host/plugin.h"

#include "plugin_host/content_rules.h"
#include "plugin_host/foreign.h"

namespace vmcp::plugin_host {

Result<std::shared_ptr<Plugin>> Plugin::open(EntryFunction entry, const Manifest& manifest, Log& log,
                                             ChangeSink on_change, UpstreamTables upstream) {
  auto opened = open_in_process(entry, manifest, log, std::move(on_change), upstream);
  if (!opened) return opened.error();
  return std::make_shared<Plugin>(std::move(*opened));
}

vmcp_status Plugin::carry(const Round& round, Invocation& invocation) const {
  invocation.declared = opened_.manifest.get();
  return opened_.carrier->round(round, invocation);
}

vmcp_status Plugin::run(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const {
  return carry({Round::Kind::tool, tool, args_json}, invocation);
}

vmcp_status Plugin::preview(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const {
  if (!has_previews()) return VMCP_E_UNSUPPORTED;
  return carry({Round::Kind::preview, tool, args_json}, invocation);
}

vmcp_status Plugin::read_resource(std::string_view uri, Invocation& invocation) const {
  if (!has_resources()) return VMCP_E_UNSUPPORTED;
  if (uri.size() > kMaxUriBytes || !owns(uri)) return VMCP_E_NOT_FOUND;
  invocation.allowed = Allowed::read;
  return carry({Round::Kind::resource, 0, uri}, invocation);
}

vmcp_status Plugin::get_prompt(std::uint32_t prompt, Invocation& invocation,
                               std::string_view args_json) const {
  invocation.allowed = Allowed::read;
  return carry({Round::Kind::prompt, prompt, args_json}, invocation);
}

vmcp_status Plugin::complete(Invocation& invocation, std::string_view ref_json, std::string_view argument,
                             std::string_view value, std::string_view context_json) const {
  if (!has_completion()) return VMCP_E_UNSUPPORTED;
  invocation.allowed = Allowed::read;
  const vmcp_status status =
      carry({Round::Kind::completion, 0, ref_json, argument, value, context_json}, invocation);
  if (status < 0) return status;
  if (status == VMCP_SUSPENDED || !is_completion(invocation.structured)) {
    invocation.failure = make_error(Code::internal, "plugin " + id() + " gave no valid completion");
    return VMCP_E_FAULT;
  }
  return status;
}

}  // namespace vmcp::plugin_host
