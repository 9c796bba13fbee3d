// The host's side of vmcp.call/1, and what every host function that gets a call begins with.
#pragma once

#include <exception>
#include <string_view>

#include "plugin_host/foreign.h"
#include "plugin_host/invocation.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {

const vmcp_call_1& call_table();

inline Invocation* of(vmcp_call* call) {
  return call == nullptr ? nullptr : call->invocation;
}

// One of the five places that catch everything: nothing of ours may unwind into a plugin.
template <class F>
vmcp_status guarded(vmcp_call* call, F&& body) noexcept {
  Invocation* invocation = of(call);
  if (invocation == nullptr) return VMCP_E_FAULT;
  try {
    return body(*invocation);
  } catch (const std::exception&) {
    return VMCP_E_FAULT;
  } catch (...) {
    return VMCP_E_FAULT;
  }
}

inline void deliver(const vmcp_sink& sink, std::string_view bytes) {
  if (sink.put != nullptr) sink.put(sink.ctx, span(bytes));
}

}  // namespace vmcp::plugin_host
