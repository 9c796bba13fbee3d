#include "plugin_check/subject.h"

#include <exception>
#include <typeinfo>

namespace vmcp::plugin_check {
namespace {

std::string last_words(HeardLog& log) {
  std::string out;
  for (const std::string& line : log.take_errors()) out += (out.empty() ? "; it logged: " : " / ") + line;
  return out;
}

}  // namespace

// The catch of the plugin border (decision 0001), as the host has it.
bool held(Reporter& report, const std::function<void()>& foreign) {
  try {
    foreign();
    return true;
  } catch (const std::exception& e) {
    report.found("exception-crosses-abi", std::string("an exception came out of it: ") + e.what());
  } catch (...) {
    report.found("exception-crosses-abi", "something that is no std::exception was thrown out of it");
  }
  return false;
}

bool load_entry(const std::string& file, Reporter& report, Entry& out) {
  report.at("library");
  const auto mapped = plugin_host::map_library_file(file);
  if (!mapped) {
    report.found("library-not-loadable", mapped.error().text);
    return false;
  }
  out.function = *mapped;
  report.at(VMCP_ENTRY_SYMBOL);
  const vmcp_entry* raw = nullptr;
  if (!held(report, [&] { raw = out.function(); })) return false;
  if (raw != nullptr && raw->abi_major != VMCP_ABI_MAJOR) {
    report.found("abi-version", "it says ABI major " + std::to_string(raw->abi_major) +
                                    ", this host speaks " + std::to_string(VMCP_ABI_MAJOR));
    return false;
  }
  auto checked = plugin_host::check_entry(raw);
  if (!checked) {
    report.found("entry-invalid", checked.error().text);
    return false;
  }
  out.checked = std::move(*checked);
  return true;
}

std::unique_ptr<Subject> Subject::open(const Entry& entry, HeardLog& log, Reporter& report,
                                       const char* finding) {
  std::unique_ptr<Subject> out(new Subject(log, report));
  out->host_ = std::make_unique<ObservedHost>(entry.checked.id, log);
  report.at("open");
  const vmcp_plugin* foreign = nullptr;
  vmcp_status status = VMCP_E_FAULT;
  if (!held(report, [&] { status = entry.checked.open(out->host_->table(), &foreign); })) return nullptr;
  if (status < 0) {
    report.found(finding, "open() gave status " + std::to_string(status) + last_words(log));
    return nullptr;
  }
  auto table = plugin_host::check_plugin(foreign);
  if (!table) {
    report.found("table-invalid", table.error().text);
    return nullptr;
  }
  out->foreign_ = foreign;
  out->table_ = *table;
  return out->read_tables() ? std::move(out) : nullptr;
}

Subject::~Subject() {
  if (foreign_ != nullptr && !closed_) close();
}

const void* Subject::query(const char* iface, bool& fine) {
  const void* out = nullptr;
  report_.at(std::string("query ") + iface);
  fine = held(report_, [&] { out = table_.query(foreign_, iface); });
  return out;
}

template <class Table>
bool Subject::read_table(const char* iface, Result<Table> (*check)(const Table*), Table& out) {
  bool fine = true;
  const void* const table = query(iface, fine);
  if (!fine) return false;
  auto checked = check(static_cast<const Table*>(table));
  if (!checked) {
    report_.found("table-invalid", checked.error().text);
    return false;
  }
  out = *checked;
  return true;
}

bool Subject::read_tables() {
  return read_table(VMCP_IFACE_TOOLS, plugin_host::check_tools, tools_) &&
         read_table(VMCP_IFACE_PREVIEW, plugin_host::check_preview, preview_) &&
         read_table(VMCP_IFACE_RESOURCES, plugin_host::check_resources, resources_) &&
         read_table(VMCP_IFACE_PROMPTS, plugin_host::check_prompts, prompts_) &&
         read_table(VMCP_IFACE_COMPLETION, plugin_host::check_completion, completion_);
}

bool Subject::start(const Configuration& config, const char* finding) {
  const std::string& config_json = config.text;
  report_.at("start", config.made_up ? config_json : std::string());
  host_->live(true);
  vmcp_status status = VMCP_E_FAULT;
  if (!held(report_, [&] { status = table_.start(foreign_, {config_json.data(), config_json.size()}); }))
    return false;
  if (status < 0) {
    report_.found(finding, "start() gave status " + std::to_string(status) + last_words(log_));
    return false;
  }
  return true;
}

bool Subject::quiesce() {
  report_.at("quiesce");
  vmcp_status status = VMCP_E_FAULT;
  if (!held(report_, [&] { status = table_.quiesce(foreign_); })) return false;
  host_->live(false);
  if (status < 0)
    report_.found("quiesce-failed", "quiesce() gave status " + std::to_string(status) + last_words(log_));
  return status >= 0;
}

bool Subject::close() {
  closed_ = true;
  report_.at("close");
  log_.take_errors();
  if (!held(report_, [&] { table_.close(foreign_); })) return false;
  if (const std::string words = last_words(log_); !words.empty()) {
    report_.found("close-failed", "close() failed" + words);
    return false;
  }
  return true;
}

}  // namespace vmcp::plugin_check
