#include "runner/upstream.h"

#include <unistd.h>

#include <initializer_list>

#include "plugin_host/call_api.h"
#include "plugin_host/host_api.h"

namespace vmcp::runner {

using plugin_host::span;
using plugin_host::view;
using plugin_host::child::Channel;
using plugin_host::child::Message;
using plugin_host::child::Reader;
using plugin_host::child::Writer;

namespace {

// Asks and waits; the reply's status, with its words remembered.
vmcp_status ask(vmcp_call* call, Message kind, std::initializer_list<vmcp_str> texts, vmcp_sink out,
                std::int32_t* http_status = nullptr) {
  return plugin_host::guarded(call, [&](plugin_host::Invocation& invocation) -> vmcp_status {
    auto& lane = static_cast<LaneInvocation&>(invocation);
    if (std::this_thread::get_id() != lane.worker) return VMCP_E_FAULT;
    Writer message = lane.channel.begin(kind);
    for (const vmcp_str& text : texts) message.text(view(text));
    if (lane.channel.send() != Channel::State::done || lane.channel.receive() != Channel::State::done ||
        lane.channel.kind() != Message::reply)
      end_with_the_server();
    Reader in = lane.channel.fields();
    const auto status = in.number<vmcp_status>();
    const auto http = in.number<std::int32_t>();
    const bool has_body = in.flag();
    const std::string_view body = in.text();
    invocation.last_error = in.text();
    invocation.last_code = plugin_host::code_of(status);
    invocation.sent_change = in.flag();
    if (http_status != nullptr) *http_status = http;
    if (has_body) plugin_host::deliver(out, body);
    return status;
  });
}

vmcp_status inventory_list(vmcp_call* call, vmcp_str query_json, vmcp_sink out) {
  return ask(call, Message::inventory_list, {query_json, {}, {}}, out);
}
vmcp_status inventory_get(vmcp_call* call, vmcp_str kind, vmcp_str moref, vmcp_str properties_json,
                          vmcp_sink out) {
  return ask(call, Message::inventory_get, {kind, moref, properties_json}, out);
}
vmcp_status vcenter_request(vmcp_call* call, vmcp_str method, vmcp_str path, vmcp_str body, vmcp_sink out,
                            std::int32_t* http_status) {
  return ask(call, Message::vcenter, {method, path, body}, out, http_status);
}
vmcp_status vim_call(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str method, vmcp_str params_json,
                     vmcp_sink out) {
  return ask(call, Message::vim_call, {type, moref, method, params_json}, out);
}
vmcp_status vim_get(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str property, vmcp_sink out) {
  return ask(call, Message::vim_get, {type, moref, property}, out);
}

constexpr vmcp_inventory_1 kInventory = {sizeof(vmcp_inventory_1), 0, inventory_list, inventory_get};
constexpr vmcp_vcenter_1 kVcenter = {sizeof(vmcp_vcenter_1), 0, vcenter_request};
constexpr vmcp_vim_1 kVim = {sizeof(vmcp_vim_1), 0, vim_call, vim_get};

}  // namespace

const void* upstream_table(std::string_view iface) {
  if (iface == VMCP_IFACE_INVENTORY) return &kInventory;
  if (iface == VMCP_IFACE_VCENTER) return &kVcenter;
  if (iface == VMCP_IFACE_VIM) return &kVim;
  return nullptr;
}

void end_with_the_server() {
  ::_exit(0);
}

}  // namespace vmcp::runner
