#include "plugin_host/plugin.h"

#include <exception>
#include <optional>

#include "plugin_host/content_rules.h"
#include "plugin_host/foreign.h"

namespace vmcp::plugin_host {
namespace {

// A plugin that breaks the rule "no exception crosses" must cost its own call and nothing else.
template <class F>
bool survived(F&& foreign) noexcept {
  try {
    foreign();
    return true;
  } catch (const std::exception&) {
  } catch (...) {
  }
  return false;
}

Error threw(const char* where) {
  return make_error(Code::internal, std::string("it threw an exception out of ") + where +
                                        "; use the SDK's wrapper, which keeps exceptions inside");
}

constexpr std::size_t kMaxSchemesBytes = 1024;
constexpr std::uint32_t kMaxDeclarations = 1'000;  // of one kind

// Copies every declaration of one kind. `count` and `at` are the plugin's, `check` is ours.
template <class T, class Count, class At, class Check>
Result<std::vector<T>> read_all(const char* what, const vmcp_plugin* plugin, Count count, At at,
                                Check check) {
  std::vector<T> out;
  std::optional<Error> error;
  const bool fine = survived([&] {
    const std::uint32_t total = count(plugin);
    if (total > kMaxDeclarations) {
      error = make_error(Code::invalid_argument,
                         "it offers more than " + std::to_string(kMaxDeclarations) + " " + what);
      return;
    }
    for (std::uint32_t i = 0; i < total && !error; ++i) {
      auto d = check(at(plugin, i));
      if (d)
        out.push_back(std::move(*d));
      else
        error = d.error();
    }
  });
  if (!fine) return threw((std::string("its table of ") + what).c_str());
  if (error) return *error;
  return out;
}

}  // namespace

Result<std::shared_ptr<Plugin>> Plugin::open(EntryFunction entry, const Manifest& manifest, Log& log,
                                             ChangeSink on_change) {
  const vmcp_entry* raw = nullptr;
  if (!survived([&] { raw = entry(); })) return threw(VMCP_ENTRY_SYMBOL);
  auto checked = check_entry(raw);
  if (!checked) return checked.error();
  if (checked->id != manifest.id)
    return make_error(Code::denied,
                      "the manifest is of '" + manifest.id + "', the library of '" + checked->id + "'");

  std::shared_ptr<Plugin> plugin(new Plugin);
  plugin->id_ = checked->id;
  plugin->version_ = checked->version;
  plugin->host_ = std::make_unique<HostSide>(checked->id, log, std::move(on_change));
  const vmcp_plugin* foreign = nullptr;
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = checked->open(plugin->host_->table(), &foreign); })) return threw("open");
  if (status < 0)
    return make_error(Code::unavailable,
                      "its open failed with status " + std::to_string(status) + "; the log has what it said");
  auto table = check_plugin(foreign);
  if (!table) return table.error();
  plugin->foreign_ = foreign;
  plugin->table_ = *table;

  if (auto r = plugin->read_declarations(); !r) return r.error();
  if (auto r = plugin->read_offers(); !r) return r.error();
  if (const std::string lie =
          difference(manifest, *checked, plugin->tools_, plugin->offers_, plugin->has_previews());
      !lie.empty())
    return make_error(Code::denied, "its manifest does not tell the truth: " + lie + "; rebuild the plugin");
  plugin->host_->own_schemes(plugin->offers_.schemes);
  return plugin;
}

Result<void> Plugin::read_declarations() {
  const void *tools = nullptr, *preview = nullptr;
  if (!survived([&] {
        tools = table_.query(foreign_, VMCP_IFACE_TOOLS);
        preview = table_.query(foreign_, VMCP_IFACE_PREVIEW);
      }))
    return threw("query");
  auto checked_tools = check_tools(static_cast<const vmcp_tools_0*>(tools));
  if (!checked_tools) return checked_tools.error();
  auto checked_preview = check_preview(static_cast<const vmcp_preview_0*>(preview));
  if (!checked_preview) return checked_preview.error();
  tools_table_ = *checked_tools;
  preview_ = *checked_preview;
  auto all = read_all<Declaration>("tools", foreign_, tools_table_.count, tools_table_.at, check_tool);
  if (!all) return all.error();
  tools_ = std::move(*all);
  return {};
}

Result<void> Plugin::read_offers() {
  const void *resources = nullptr, *prompts = nullptr, *completion = nullptr;
  if (!survived([&] {
        resources = table_.query(foreign_, VMCP_IFACE_RESOURCES);
        prompts = table_.query(foreign_, VMCP_IFACE_PROMPTS);
        completion = table_.query(foreign_, VMCP_IFACE_COMPLETION);
      }))
    return threw("query");
  auto checked_resources = check_resources(static_cast<const vmcp_resources_0*>(resources));
  if (!checked_resources) return checked_resources.error();
  auto checked_prompts = check_prompts(static_cast<const vmcp_prompts_0*>(prompts));
  if (!checked_prompts) return checked_prompts.error();
  auto checked_completion = check_completion(static_cast<const vmcp_completion_0*>(completion));
  if (!checked_completion) return checked_completion.error();
  resources_table_ = *checked_resources;
  prompts_table_ = *checked_prompts;
  completion_table_ = *checked_completion;
  offers_.reads = resources_table_.read != nullptr;
  offers_.completion = completion_table_.complete != nullptr;

  if (offers_.reads) {
    auto all = read_all<ResourceDeclaration>("resources", foreign_, resources_table_.count,
                                             resources_table_.at, check_resource);
    if (!all) return all.error();
    offers_.resources = std::move(*all);
    if (auto r = read_templates_and_schemes(); !r) return r.error();
  }
  if (prompts_table_.get != nullptr) {
    auto all = read_all<PromptDeclaration>("prompts", foreign_, prompts_table_.count, prompts_table_.at,
                                           check_prompt);
    if (!all) return all.error();
    offers_.prompts = std::move(*all);
  }
  return check_offers(id_, offers_, tools_);
}

Result<void> Plugin::read_templates_and_schemes() {
  if (resources_table_.template_count != nullptr) {
    auto all = read_all<TemplateDeclaration>("resource templates", foreign_, resources_table_.template_count,
                                             resources_table_.template_at, check_template);
    if (!all) return all.error();
    offers_.templates = std::move(*all);
  }
  if (resources_table_.schemes == nullptr) return {};
  const char* list = nullptr;
  if (!survived([&] { list = resources_table_.schemes(foreign_); })) return threw("schemes");
  std::string text;
  if (!bounded_text(list, kMaxSchemesBytes, text)) return unfit("its list of URI schemes is too long");
  auto schemes = check_schemes(text);
  if (!schemes) return schemes.error();
  offers_.schemes = std::move(*schemes);
  return {};
}

Result<void> Plugin::start(const std::string& config_json) {
  host_->live(true);
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = table_.start(foreign_, {config_json.data(), config_json.size()}); }))
    return threw("start");
  if (status < 0)
    return make_error(Code::unavailable, "its start failed with status " + std::to_string(status) +
                                             "; check [plugin.config], the log has what it said");
  started_ = true;
  return {};
}

Plugin::~Plugin() {
  if (foreign_ == nullptr) return;
  if (started_ && !survived([&] { table_.quiesce(foreign_); }))
    host_->log(VMCP_LOG_ERROR, "threw an exception out of quiesce");
  host_->live(false);
  if (!survived([&] { table_.close(foreign_); }))
    host_->log(VMCP_LOG_ERROR, "threw an exception out of close");
}

template <class F>
vmcp_status Plugin::guarded_round(Invocation& invocation, Produces produces, F&& round) const {
  invocation.produces = produces;
  vmcp_call call{&invocation};
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = round(&call); }))
    invocation.failure = make_error(Code::internal, "plugin " + id_ + " threw an exception");
  return status;
}

vmcp_status Plugin::run(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const {
  return guarded_round(invocation, Produces::tool, [&](vmcp_call* call) {
    return tools_table_.run(foreign_, tool, call, span(args_json));
  });
}

vmcp_status Plugin::preview(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const {
  if (preview_.run == nullptr) return VMCP_E_UNSUPPORTED;
  return guarded_round(invocation, Produces::tool,
                       [&](vmcp_call* call) { return preview_.run(foreign_, tool, call, span(args_json)); });
}

vmcp_status Plugin::read_resource(std::string_view uri, Invocation& invocation) const {
  if (resources_table_.read == nullptr) return VMCP_E_UNSUPPORTED;
  if (uri.size() > kMaxUriBytes || !owns(uri)) return VMCP_E_NOT_FOUND;
  invocation.allowed = Allowed::read;
  return guarded_round(invocation, Produces::resource,
                       [&](vmcp_call* call) { return resources_table_.read(foreign_, call, span(uri)); });
}

vmcp_status Plugin::get_prompt(std::uint32_t prompt, Invocation& invocation,
                               std::string_view args_json) const {
  if (prompts_table_.get == nullptr) return VMCP_E_UNSUPPORTED;
  invocation.allowed = Allowed::read;
  return guarded_round(invocation, Produces::prompt, [&](vmcp_call* call) {
    return prompts_table_.get(foreign_, prompt, call, span(args_json));
  });
}

vmcp_status Plugin::complete(Invocation& invocation, std::string_view ref_json, std::string_view argument,
                             std::string_view value, std::string_view context_json) const {
  if (completion_table_.complete == nullptr) return VMCP_E_UNSUPPORTED;
  invocation.allowed = Allowed::read;
  const vmcp_status status = guarded_round(invocation, Produces::completion, [&](vmcp_call* call) {
    return completion_table_.complete(foreign_, call, span(ref_json), span(argument), span(value),
                                      span(context_json));
  });
  if (status < 0) return status;
  if (status == VMCP_SUSPENDED || !is_completion(invocation.structured)) {
    invocation.failure = make_error(Code::internal, "plugin " + id_ + " gave no valid completion");
    return VMCP_E_FAULT;
  }
  return status;
}

}  // namespace vmcp::plugin_host
