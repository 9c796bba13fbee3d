// The host's tables for plugins, and the check of every request that a plugin makes.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/log.h"
#include "plugin_host/invocation.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {

// What one plugin holds as its vmcp_host. Lives as long as the plugin; never moves.
class HostSide {
 public:
  HostSide(std::string plugin_id, Log& log);
  HostSide(const HostSide&) = delete;
  HostSide& operator=(const HostSide&) = delete;
  const vmcp_host* table() const { return &host_; }

  void log(int level, std::string_view message) const;

 private:
  vmcp_host host_;
  std::string plugin_id_;
  Log& log_;
  mutable std::atomic<std::int64_t> window_second_{0};  // at most kLogLinesPerSecond lines
  mutable std::atomic<int> lines_in_window_{0};
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
