// The host's tables for plugins, and the check of every request that a plugin makes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "plugin_host/invocation.h"
#include "plugin_host/manifest.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {

// What a plugin said through vmcp.notify.
struct Change {
  enum class Kind { tools, prompts, resources, updated };
  Kind kind = Kind::tools;
  std::string uri = {};  // of `updated`: it belongs to the plugin
  std::string plugin_id = {};
};
// Called on any thread, also the plugin's own; must not block or throw. Null: nobody listens.
using ChangeSink = std::function<void(const Change&)>;

// At most so many in one second.
class RateWindow {
 public:
  explicit RateWindow(int per_second) : per_second_(per_second) {}
  bool take();  // [any]

 private:
  const int per_second_;
  std::atomic<std::int64_t> second_{0};
  std::atomic<int> taken_{0};
};

// The table that reaches a vCenter for this id, or null. A child process has tables of its own, which ask the
// host.
using UpstreamTables = const void* (*)(std::string_view iface);
const void* upstream_table(std::string_view iface);  // of this process

// What one plugin holds as its vmcp_host. Lives as long as the plugin; never moves.
class HostSide {
 public:
  HostSide(std::string plugin_id, Log& log, ChangeSink on_change, UpstreamTables tables = upstream_table);
  HostSide(const HostSide&) = delete;
  HostSide& operator=(const HostSide&) = delete;
  const vmcp_host* table() const { return &host_; }
  const void* upstream(std::string_view iface) const { return upstream_(iface); }

  void log(int level, std::string_view message) const;
  // VMCP_E_UNAVAILABLE unless live, VMCP_E_DENIED for a URI of somebody else's, VMCP_E_LIMIT when too often.
  // [any]
  vmcp_status changed(Change::Kind kind, std::string_view uri) const;

  // Which URIs are the plugin's; before live(true).
  void own_schemes(std::vector<std::string> schemes) { schemes_ = std::move(schemes); }
  void live(bool now) { live_ = now; }
  // Only what this manifest names is found from now on; before, and with null, everything is.
  void grant(std::shared_ptr<const Manifest> manifest) { manifest_ = std::move(manifest); }
  bool grants(std::string_view iface) const { return !manifest_ || manifest_->grants(iface); }

 private:
  vmcp_host host_;
  std::string plugin_id_;
  std::vector<std::string> schemes_;
  Log& log_;
  ChangeSink on_change_;
  UpstreamTables upstream_;
  std::shared_ptr<const Manifest> manifest_;
  std::atomic<bool> live_{false};  // between start() and the end of quiesce()
  mutable RateWindow log_lines_, changes_;
};

// May this call send this request? Unlisted and session operations never; a change only under Allowed::change
// and only on an authorised target, a part of one, or what this call created; lists not for a limited view.
// Gives true when the request changes something. The error's text names the request and goes to the caller.
Result<bool> may_request(const Invocation& invocation, std::string_view method, std::string_view path);
Result<bool> may_call_vim(const Invocation& invocation, std::string_view type, std::string_view moref,
                          std::string_view member, bool property);

vmcp_status status_of(Code code);
Code code_of(vmcp_status status);

}  // namespace vmcp::plugin_host
