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

namespace vmcp::plugin_check {

// Runs foreign code. False when an exception came out of it; then it is reported as found at `hook`.
bool held(Reporter& report, const std::function<void()>& foreign);

// The library's entry, mapped and checked; nothing when there is a finding. Runs the library's constructors.
struct Entry {
  plugin_host::EntryFunction function = nullptr;
  plugin_host::CheckedEntry checked;
};
bool load_entry(const std::string& file, Reporter& report, Entry& out);

class Subject {
 public:
  // Null when open() or a table is not as it must be; then that is reported. `finding` is what a refusal of
  // open() means here.
  static std::unique_ptr<Subject> open(const Entry& entry, HeardLog& log, Reporter& report,
                                       const char* finding = "open-failed");
  ~Subject();  // closes, if close() did not
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  bool start(const std::string& config_json, const char* finding = "start-refused");
  bool quiesce();
  bool close();

  const vmcp_plugin* plugin() const { return foreign_; }
  const void* query(const char* iface, bool& fine);
  const vmcp_tools_0& tools() const { return tools_; }
  const vmcp_preview_0& preview() const { return preview_; }
  ObservedHost& host() { return *host_; }

 private:
  Subject(HeardLog& log, Reporter& report) : log_(log), report_(report) {}
  bool read_tables();

  HeardLog& log_;
  Reporter& report_;
  std::unique_ptr<ObservedHost> host_;
  const vmcp_plugin* foreign_ = nullptr;
  vmcp_plugin table_{};
  vmcp_tools_0 tools_{};
  vmcp_preview_0 preview_{};
  bool closed_ = false;
};

}  // namespace vmcp::plugin_check
