#include "plugin_host/child/lane.h"

#include <chrono>

#include "plugin_host/call_api.h"
#include "plugin_host/child/round_messages.h"
#include "plugin_host/host_api.h"

namespace vmcp::plugin_host::child {
namespace {

constexpr int kLook_ms = 10;  // between two looks at the caller's cancellation
// A plugin that polls cancelled() has answered by then.
constexpr milliseconds kGrace{2'000};

struct Reply {
  std::string body;
  bool has_body = false;
  std::int32_t http_status = 0;

  vmcp_sink sink() {
    return {this, [](void* ctx, vmcp_str bytes) {
              auto* const reply = static_cast<Reply*>(ctx);
              reply->body.assign(view(bytes));
              reply->has_body = true;
            }};
  }
};

template <class Table>
const Table& table_of(const char* iface) {
  return *static_cast<const Table*>(upstream_table(iface));
}

// The server's own tables do the work, with every check that a plugin in this process meets.
bool ask_upstream(Message kind, Reader in, vmcp_call* call, Reply& reply, vmcp_status& status) {
  const std::string_view a = in.text(), b = in.text(), c = in.text();
  const std::string_view d = kind == Message::vim_call ? in.text() : std::string_view();
  if (!in.done()) return false;
  const vmcp_sink out = reply.sink();
  switch (kind) {
    case Message::inventory_list:
      status = table_of<vmcp_inventory_1>(VMCP_IFACE_INVENTORY).list(call, span(a), out);
      return true;
    case Message::inventory_get:
      status = table_of<vmcp_inventory_1>(VMCP_IFACE_INVENTORY).get(call, span(a), span(b), span(c), out);
      return true;
    case Message::vcenter:
      status = table_of<vmcp_vcenter_1>(VMCP_IFACE_VCENTER)
                   .request(call, span(a), span(b), span(c), out, &reply.http_status);
      return true;
    case Message::vim_call:
      status = table_of<vmcp_vim_1>(VMCP_IFACE_VIM).call(call, span(a), span(b), span(c), span(d), out);
      return true;
    case Message::vim_get:
      status = table_of<vmcp_vim_1>(VMCP_IFACE_VIM).get(call, span(a), span(b), span(c), out);
      return true;
    default:
      return false;
  }
}

}  // namespace

Lane::Lane(int fd, std::atomic<bool>* cancel) : channel_(fd, kMostFromChild_bytes), cancel_(cancel) {
  channel_.give_up_after(kLook_ms);
}

Ended Lane::run(const Round& round, Invocation& invocation, vmcp_status& status) {
  invocation.produces = produced_by(round.kind);
  cancel_->store(invocation.limits.cancel.cancelled(), std::memory_order_relaxed);
  return converse(round, invocation, status);
}

Ended Lane::converse(const Round& round, Invocation& invocation, vmcp_status& status) {
  const SteadyTime end = invocation.limits.deadline + kGrace;
  write_round(channel_.begin(Message::round), round, invocation);
  bool begun = false;
  for (bool sending = true;;) {
    const Channel::State state = sending ? channel_.send() : channel_.receive();
    switch (state) {
      case Channel::State::gone:
        return begun ? Ended::died : Ended::not_begun;
      case Channel::State::broken:
        return Ended::nonsense;
      case Channel::State::waits:
        if (invocation.limits.cancel.cancelled()) cancel_->store(true, std::memory_order_relaxed);
        if (std::chrono::steady_clock::now() >= end) return Ended::hung;
        continue;
      case Channel::State::done:
        break;
    }
    if (sending) {
      sending = false;
      begun = true;
    } else if (channel_.kind() == Message::result) {
      return take_result(channel_.fields(), invocation, status) ? Ended::answered : Ended::nonsense;
    } else if (!notice(invocation)) {
      if (!answer(invocation)) return Ended::nonsense;
      sending = true;
    }
  }
}

// What needs no reply. False: it is something else.
bool Lane::notice(Invocation& invocation) {
  vmcp_call call{&invocation};
  Reader in = channel_.fields();
  switch (channel_.kind()) {
    case Message::progress: {
      const auto done = in.number<double>(), total = in.number<double>();
      call_table().progress(&call, done, total, span(in.text()));
      return true;
    }
    case Message::client_log: {
      const std::string_view level = in.text(), logger = in.text();
      call_table().log(&call, span(level), span(logger), span(in.text()));
      return true;
    }
    case Message::close_stream:
      call_table().close_stream(&call);
      return true;
    default:
      return false;
  }
}

// Leaves the reply to be sent. False for what is no message of a plugin.
bool Lane::answer(Invocation& invocation) {
  vmcp_call call{&invocation};
  Reply reply;
  vmcp_status status = VMCP_E_FAULT;
  invocation.last_error.clear();
  if (!ask_upstream(channel_.kind(), channel_.fields(), &call, reply, status)) return false;
  Writer out = channel_.begin(Message::reply);
  out.number(status).number(reply.http_status).number(static_cast<std::uint8_t>(reply.has_body));
  out.text(reply.body).text(status < 0 ? std::string_view(invocation.last_error) : std::string_view());
  out.number(static_cast<std::uint8_t>(invocation.sent_change));
  return true;
}

}  // namespace vmcp::plugin_host::child
