#include "runner/lanes.h"

#include <exception>
#include <memory>
#include <thread>

#include "plugin_host/child/channel.h"
#include "plugin_host/child/round_messages.h"
#include "runner/upstream.h"

namespace vmcp::runner {
namespace {

using plugin_host::Invocation;
using plugin_host::Round;
using plugin_host::child::Channel;
using plugin_host::child::kMostFromHost_bytes;
using plugin_host::child::Message;

void tell(Channel& lane) {
  if (lane.send() != Channel::State::done) end_with_the_server();
}

// What the server listens to goes there; what it does not is not even sent.
void hear(LaneInvocation& invocation) {
  Channel& lane = invocation.channel;
  if (invocation.on_progress)
    invocation.on_progress = [&lane](double done, double total, std::string_view note) {
      lane.begin(Message::progress).number(done).number(total).text(note);
      tell(lane);
    };
  if (invocation.on_log)
    invocation.on_log = [&lane](std::string_view level, std::string_view logger, std::string_view data_json) {
      lane.begin(Message::client_log).text(level).text(logger).text(data_json);
      tell(lane);
    };
  invocation.on_close_stream = [&lane] {
    lane.begin(Message::close_stream);
    tell(lane);
  };
}

void serve(Channel& lane, std::atomic<bool>* cancel, plugin_host::Carrier& carrier) {
  while (lane.receive() == Channel::State::done && lane.kind() == Message::round) {
    LaneInvocation invocation(lane);
    // Owned by nobody: the page lives as long as the process.
    invocation.limits.cancel =
        CancelFlag(std::shared_ptr<std::atomic<bool>>(std::shared_ptr<void>(), cancel));
    Round borrowed;
    if (!plugin_host::child::read_round(lane.fields(), borrowed, invocation)) break;
    // The next message overwrites what the first one held, and the arguments must last for the round.
    const std::string text(borrowed.text), argument(borrowed.argument), value(borrowed.value),
        context(borrowed.context);
    hear(invocation);
    const vmcp_status status =
        carrier.round({borrowed.kind, borrowed.index, text, argument, value, context}, invocation);
    plugin_host::child::write_result(lane.begin(Message::result), status, invocation);
    tell(lane);
  }
  end_with_the_server();
}

}  // namespace

void serve_lanes(const std::vector<int>& descriptors, std::atomic<bool>* cancels,
                 plugin_host::Carrier& carrier) {
  for (std::size_t i = 0; i < descriptors.size(); ++i)
    std::thread([fd = descriptors[i], cancel = cancels + i, &carrier] {
      try {
        Channel lane(fd, kMostFromHost_bytes);
        serve(lane, cancel, carrier);
      } catch (const std::exception&) {  // a thread's entry: memory has run out; the server starts another
        end_with_the_server();
      }
    }).detach();
}

}  // namespace vmcp::runner
