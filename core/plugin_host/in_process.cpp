#include "plugin_host/in_process.h"

#include <exception>
#include <optional>

#include "plugin_host/abi_check.h"
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

class InProcess final : public Carrier {
 public:
  InProcess(std::string id, std::shared_ptr<const Manifest> manifest, Log& log, ChangeSink on_change,
            UpstreamTables upstream)
      : id_(std::move(id)), host_(id_, log, std::move(on_change), upstream) {
    host_.grant(std::move(manifest));
  }
  ~InProcess() override;
  InProcess(const InProcess&) = delete;
  InProcess& operator=(const InProcess&) = delete;

  // Fills the declarations; after it start() may be called.
  Result<void> open(const CheckedEntry& entry, Opened& out);

  Result<void> start(const std::string& config_json) override;
  vmcp_status round(const Round& round, Invocation& invocation) override;

 private:
  Result<void> read_tools(Opened& out);
  Result<void> read_offers(Opened& out);
  Result<void> read_templates_and_schemes(Offers& offers);
  vmcp_status dispatch(const Round& round, vmcp_call* call) const;

  const std::string id_;
  HostSide host_;
  const vmcp_plugin* foreign_ = nullptr;
  vmcp_plugin table_{};
  vmcp_tools_1 tools_table_{};
  vmcp_preview_1 preview_{};
  vmcp_resources_1 resources_table_{};
  vmcp_prompts_1 prompts_table_{};
  vmcp_completion_1 completion_table_{};
  bool started_ = false;
};

Result<void> InProcess::open(const CheckedEntry& entry, Opened& out) {
  const vmcp_plugin* foreign = nullptr;
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = entry.open(host_.table(), &foreign); })) return threw("open");
  if (status < 0)
    return make_error(Code::unavailable,
                      "its open failed with status " + std::to_string(status) + "; the log has what it said");
  auto table = check_plugin(foreign);
  if (!table) return table.error();
  foreign_ = foreign;
  table_ = *table;
  if (auto r = read_tools(out); !r) return r;
  if (auto r = read_offers(out); !r) return r;
  host_.own_schemes(out.offers.schemes);
  return {};
}

Result<void> InProcess::read_tools(Opened& out) {
  const void *tools = nullptr, *preview = nullptr;
  if (!survived([&] {
        tools = table_.query(foreign_, VMCP_IFACE_TOOLS);
        preview = table_.query(foreign_, VMCP_IFACE_PREVIEW);
      }))
    return threw("query");
  auto checked_tools = check_tools(static_cast<const vmcp_tools_1*>(tools));
  if (!checked_tools) return checked_tools.error();
  auto checked_preview = check_preview(static_cast<const vmcp_preview_1*>(preview));
  if (!checked_preview) return checked_preview.error();
  tools_table_ = *checked_tools;
  preview_ = *checked_preview;
  auto all = read_all<Declaration>("tools", foreign_, tools_table_.count, tools_table_.at, check_tool);
  if (!all) return all.error();
  out.tools = std::move(*all);
  out.previews = preview_.run != nullptr;
  return {};
}

Result<void> InProcess::read_offers(Opened& out) {
  const void *resources = nullptr, *prompts = nullptr, *completion = nullptr;
  if (!survived([&] {
        resources = table_.query(foreign_, VMCP_IFACE_RESOURCES);
        prompts = table_.query(foreign_, VMCP_IFACE_PROMPTS);
        completion = table_.query(foreign_, VMCP_IFACE_COMPLETION);
      }))
    return threw("query");
  auto checked_resources = check_resources(static_cast<const vmcp_resources_1*>(resources));
  if (!checked_resources) return checked_resources.error();
  auto checked_prompts = check_prompts(static_cast<const vmcp_prompts_1*>(prompts));
  if (!checked_prompts) return checked_prompts.error();
  auto checked_completion = check_completion(static_cast<const vmcp_completion_1*>(completion));
  if (!checked_completion) return checked_completion.error();
  resources_table_ = *checked_resources;
  prompts_table_ = *checked_prompts;
  completion_table_ = *checked_completion;
  out.offers.reads = resources_table_.read != nullptr;
  out.offers.completion = completion_table_.complete != nullptr;

  if (out.offers.reads) {
    auto all = read_all<ResourceDeclaration>("resources", foreign_, resources_table_.count,
                                             resources_table_.at, check_resource);
    if (!all) return all.error();
    out.offers.resources = std::move(*all);
    if (auto r = read_templates_and_schemes(out.offers); !r) return r.error();
  }
  if (prompts_table_.get != nullptr) {
    auto all = read_all<PromptDeclaration>("prompts", foreign_, prompts_table_.count, prompts_table_.at,
                                           check_prompt);
    if (!all) return all.error();
    out.offers.prompts = std::move(*all);
  }
  return check_offers(id_, out.offers, out.tools);
}

Result<void> InProcess::read_templates_and_schemes(Offers& offers) {
  if (resources_table_.template_count != nullptr) {
    auto all = read_all<TemplateDeclaration>("resource templates", foreign_, resources_table_.template_count,
                                             resources_table_.template_at, check_template);
    if (!all) return all.error();
    offers.templates = std::move(*all);
  }
  if (resources_table_.schemes == nullptr) return {};
  const char* list = nullptr;
  if (!survived([&] { list = resources_table_.schemes(foreign_); })) return threw("schemes");
  std::string text;
  if (!bounded_text(list, kMaxSchemesBytes, text)) return unfit("its list of URI schemes is too long");
  auto schemes = check_schemes(text);
  if (!schemes) return schemes.error();
  offers.schemes = std::move(*schemes);
  return {};
}

Result<void> InProcess::start(const std::string& config_json) {
  host_.live(true);
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = table_.start(foreign_, {config_json.data(), config_json.size()}); }))
    return threw("start");
  if (status < 0)
    return make_error(Code::unavailable, "its start failed with status " + std::to_string(status) +
                                             "; check [plugin.config], the log has what it said");
  started_ = true;
  return {};
}

InProcess::~InProcess() {
  if (foreign_ == nullptr) return;
  if (started_ && !survived([&] { table_.quiesce(foreign_); }))
    host_.log(VMCP_LOG_ERROR, "threw an exception out of quiesce");
  host_.live(false);
  if (!survived([&] { table_.close(foreign_); }))
    host_.log(VMCP_LOG_ERROR, "threw an exception out of close");
}

vmcp_status InProcess::dispatch(const Round& round, vmcp_call* call) const {
  switch (round.kind) {
    case Round::Kind::tool:
      return tools_table_.run(foreign_, round.index, call, span(round.text));
    case Round::Kind::preview:
      return preview_.run == nullptr ? VMCP_E_UNSUPPORTED
                                     : preview_.run(foreign_, round.index, call, span(round.text));
    case Round::Kind::resource:
      return resources_table_.read == nullptr ? VMCP_E_UNSUPPORTED
                                              : resources_table_.read(foreign_, call, span(round.text));
    case Round::Kind::prompt:
      return prompts_table_.get == nullptr
                 ? VMCP_E_UNSUPPORTED
                 : prompts_table_.get(foreign_, round.index, call, span(round.text));
    case Round::Kind::completion:
      return completion_table_.complete == nullptr
                 ? VMCP_E_UNSUPPORTED
                 : completion_table_.complete(foreign_, call, span(round.text), span(round.argument),
                                              span(round.value), span(round.context));
  }
  return VMCP_E_UNSUPPORTED;
}

vmcp_status InProcess::round(const Round& round, Invocation& invocation) {
  invocation.produces = produced_by(round.kind);
  vmcp_call call{&invocation};
  vmcp_status status = VMCP_E_FAULT;
  if (!survived([&] { status = dispatch(round, &call); }))
    invocation.failure = make_error(Code::internal, "plugin " + id_ + " threw an exception");
  return status;
}

}  // namespace

Result<Opened> open_in_process(EntryFunction entry, const Manifest& manifest, Log& log, ChangeSink on_change,
                               UpstreamTables upstream) {
  const vmcp_entry* raw = nullptr;
  if (!survived([&] { raw = entry(); })) return threw(VMCP_ENTRY_SYMBOL);
  auto checked = check_entry(raw);
  if (!checked) return checked.error();
  if (checked->id != manifest.id)
    return make_error(Code::denied,
                      "the manifest is of '" + manifest.id + "', the library of '" + checked->id + "'");
  Opened out;
  out.id = checked->id;
  out.version = checked->version;
  out.manifest = std::make_shared<const Manifest>(manifest);
  auto carrier = std::make_unique<InProcess>(checked->id, out.manifest, log, std::move(on_change), upstream);
  if (auto r = carrier->open(*checked, out); !r) return r.error();
  if (const std::string lie = difference(manifest, *checked, out.tools, out.offers, out.previews);
      !lie.empty())
    return make_error(Code::denied, "its manifest does not tell the truth: " + lie + "; rebuild the plugin");
  out.carrier = std::move(carrier);
  return out;
}

}  // namespace vmcp::plugin_host
