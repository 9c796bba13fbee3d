// The tables that reach a vCenter, as a child process has them: each function asks the server over the lane
// of the round that is running, and the server's own tables do the work.
#pragma once

#include <string_view>
#include <thread>

#include "plugin_host/child/channel.h"
#include "plugin_host/invocation.h"

namespace vmcp::runner {

// A round's data together with the way back to the server.
struct LaneInvocation : plugin_host::Invocation {
  explicit LaneInvocation(plugin_host::child::Channel& lane) : channel(lane) {}
  plugin_host::child::Channel& channel;
  // Only this thread may use the channel: [worker] of the ABI, which a plugin may break.
  const std::thread::id worker = std::this_thread::get_id();
};

// As plugin_host::upstream_table(). Every call that comes here is a LaneInvocation.
const void* upstream_table(std::string_view iface);

// Ends this process: the server has gone, or does not want it any longer.
[[noreturn]] void end_with_the_server();

}  // namespace vmcp::runner
