// One instance of a plugin as a trial holds it: each hook by itself, so that what it does wrong gets its
// name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugin_check/observed_host.h"
#include "plugin_check/reporter.h"
#include "plugin_host/abi_check.h"
#include "plugin_host/library.h"
#include "plugin_host/offers.h"

namespace vmcp::plugin_check {

// Runs foreign code. False when an exception came out of it; then it is reported as found at `hook`.
bool held(Reporter& report, const std::function<void()>& foreign);

// The library's entry, mapped and checked; nothing when there is a finding. Runs the library's constructors.
struct Entry {
  plugin_host::EntryFunction function = nullptr;
  plugin_host::CheckedEntry checked;
};
bool load_entry(const std::string& file, Reporter& report, Entry& out);

// What start() gets. What the author gave may hold secrets and is not told; what was made up is.
struct Configuration {
  std::string text = "{}";  // a JSON object
  bool made_up = true;
};

class Subject {
 public:
  // Null when open() or a table is not as it must be; then that is reported. `finding` is what a refusal of
  // open() means here.
  static std::unique_ptr<Subject> open(const Entry& entry, HeardLog& log, Reporter& report,
                                       const char* finding = "open-failed");
  ~Subject();  // closes, if close() did not
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  bool start(const Configuration& config, const char* finding = "start-refused");
  bool quiesce();
  bool close();

  const vmcp_plugin* plugin() const { return foreign_; }
  const void* query(const char* iface, bool& fine);
  const vmcp_tools_1& tools() const { return tools_; }
  // Of zeros where the plugin has no such table.
  const vmcp_preview_1& preview() const { return preview_; }
  const vmcp_resources_1& resources() const { return resources_; }
  const vmcp_prompts_1& prompts() const { return prompts_; }
  const vmcp_completion_1& completion() const { return completion_; }
  ObservedHost& host() { return *host_; }

 private:
  Subject(HeardLog& log, Reporter& report) : log_(log), report_(report) {}
  bool read_tables();
  template <class Table>
  bool read_table(const char* iface, Result<Table> (*check)(const Table*), Table& out);

  HeardLog& log_;
  Reporter& report_;
  std::unique_ptr<ObservedHost> host_;
  const vmcp_plugin* foreign_ = nullptr;
  vmcp_plugin table_{};
  vmcp_tools_1 tools_{};
  vmcp_preview_1 preview_{};
  vmcp_resources_1 resources_{};
  vmcp_prompts_1 prompts_{};
  vmcp_completion_1 completion_{};
  bool closed_ = false;
};

}  // namespace vmcp::plugin_check
