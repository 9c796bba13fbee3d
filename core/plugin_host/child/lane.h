// The server's end of one lane: sends a round, answers what the plugin asks of the server meanwhile, and
// takes the result. All on the worker that carries the call, so a child costs no thread and no queue.
#pragma once

#include <atomic>

#include "plugin_host/carrier.h"
#include "plugin_host/child/channel.h"

namespace vmcp::plugin_host::child {

enum class Ended {
  answered,   // `status` says how
  not_begun,  // the process went away before all of the round had reached it
  died,       // the process went away
  hung,       // the deadline and the grace after it have passed
  nonsense,   // the protocol was broken, or a result is none that a plugin can produce
  no_lane     // all lanes were taken until the deadline
};

class Lane {
 public:
  // `cancel` is shared with the child, which only reads it.
  Lane(int fd, std::atomic<bool>* cancel);
  Ended run(const Round& round, Invocation& invocation, vmcp_status& status);

 private:
  Ended converse(const Round& round, Invocation& invocation, vmcp_status& status);
  bool answer(Invocation& invocation);
  bool notice(Invocation& invocation);

  Channel channel_;
  std::atomic<bool>* const cancel_;
};

}  // namespace vmcp::plugin_host::child
