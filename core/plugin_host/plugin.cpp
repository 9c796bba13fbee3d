#include "plugin_host/plugin.h"

#include <exception>

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

Result<std::vector<Declaration>> read_tools(const vmcp_tools_0& tools, const vmcp_plugin* plugin) {
  std::vector<Declaration> out;
  std::optional<Error> error;
  const bool fine = survived([&] {
    const std::uint32_t count = tools.count(plugin);
    if (count > 1000) {
      error = make_error(Code::invalid_argument, "it offers more than 1000 tools");
      return;
    }
    for (std::uint32_t i = 0; i < count && !error; ++i) {
      auto d = check_tool(tools.at(plugin, i));
      if (d)
        out.push_back(std::move(*d));
      else
        error = d.error();
    }
  });
  if (!fine) return threw("its tools table");
  if (error) return *error;
  return out;
}

}  // namespace

Result<std::shared_ptr<Plugin>> Plugin::open(EntryFunction entry, const Manifest& manifest, Log& log) {
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
  plugin->host_ = std::make_unique<HostSide>(checked->id, log);
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

  const void* found[2] = {nullptr, nullptr};
  if (!survived([&] {
        found[0] = plugin->table_.query(foreign, VMCP_IFACE_TOOLS);
        found[1] = plugin->table_.query(foreign, VMCP_IFACE_PREVIEW);
      }))
    return threw("query");
  auto tools = check_tools(static_cast<const vmcp_tools_0*>(found[0]));
  if (!tools) return tools.error();
  auto preview = check_preview(static_cast<const vmcp_preview_0*>(found[1]));
  if (!preview) return preview.error();
  plugin->tools_table_ = *tools;
  plugin->preview_ = *preview;
  auto declarations = read_tools(*tools, foreign);
  if (!declarations) return declarations.error();
  plugin->tools_ = std::move(*declarations);

  if (const std::string lie = difference(manifest, *checked, plugin->tools_, plugin->has_previews());
      !lie.empty())
    return make_error(Code::denied, "its manifest does not tell the truth: " + lie + "; rebuild the plugin");
  return plugin;
}

Result<void> Plugin::start(const std::string& config_json) {
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
  if (!survived([&] { table_.close(foreign_); }))
    host_->log(VMCP_LOG_ERROR, "threw an exception out of close");
}

vmcp_status Plugin::run(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const {
  vmcp_call call{&invocation};
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] {
        status = tools_table_.run(foreign_, tool, &call, {args_json.data(), args_json.size()});
      }))
    invocation.failure = make_error(Code::internal, "plugin " + id_ + " threw an exception");
  return status;
}

vmcp_status Plugin::preview(std::uint32_t tool, Invocation& invocation, std::string_view args_json) const {
  if (preview_.run == nullptr) return VMCP_E_UNSUPPORTED;
  vmcp_call call{&invocation};
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = preview_.run(foreign_, tool, &call, {args_json.data(), args_json.size()}); }))
    invocation.failure = make_error(Code::internal, "plugin " + id_ + " threw an exception");
  return status;
}

}  // namespace vmcp::plugin_host
