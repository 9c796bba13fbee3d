// The tables through which a plugin reaches a vCenter: vmcp.inventory, vmcp.vcenter, vmcp.vim.
#include <chrono>

#include "base/json.h"
#include "plugin_host/call_api.h"
#include "plugin_host/host_api.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_host {
namespace {

constexpr std::size_t kMaxQuery = 64 * 1024, kMaxBody = 1u << 20;

vmcp_status remember(Invocation& invocation, const Error& error) {
  invocation.last_error = error.text;
  invocation.last_code = error.code;
  return status_of(error.code);
}

// Everything that reaches a vCenter passes here first: counted, timed, not after cancellation.
Result<void> may_go_on(Invocation& invocation, const char* iface) {
  // A child process can send what its tables do not offer.
  if (invocation.declared != nullptr && !invocation.declared->grants(iface))
    return make_error(Code::denied, std::string("the plugin's manifest does not name ") + iface);
  if (invocation.connection == nullptr)
    return make_error(Code::denied, "this tool is declared to have no upstream and may not ask a vCenter");
  if (invocation.limits.cancel.cancelled()) return make_error(Code::cancelled, "the call was cancelled");
  if (std::chrono::steady_clock::now() >= invocation.limits.deadline)
    return make_error(Code::timeout, "the call's deadline has passed");
  if (++invocation.upstream_calls > invocation.output.max_upstream_calls)
    return make_error(Code::internal, "the tool made more vCenter requests than one call may (" +
                                          std::to_string(invocation.output.max_upstream_calls) + ")");
  return {};
}

// ---- vmcp.inventory/1

vmcp_status inventory_list(vmcp_call* call, vmcp_str query_json, vmcp_sink out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (auto r = may_go_on(invocation, VMCP_IFACE_INVENTORY); !r) return remember(invocation, r.error());
    auto query = parse_trusted_json(view(query_json), kMaxQuery);
    if (!query)
      return remember(invocation, make_error(Code::internal, "the plugin's inventory query is not JSON"));
    auto answer =
        invocation.inventory->list(*invocation.connection, *query, invocation.visible, invocation.limits);
    if (!answer) return remember(invocation, answer.error());
    deliver(out, *answer);
    return VMCP_OK;
  });
}

vmcp_status inventory_get(vmcp_call* call, vmcp_str kind, vmcp_str moref, vmcp_str properties_json,
                          vmcp_sink out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (auto r = may_go_on(invocation, VMCP_IFACE_INVENTORY); !r) return remember(invocation, r.error());
    std::vector<std::string> properties;
    if (properties_json.len > 0) {
      auto list = parse_trusted_json(view(properties_json), kMaxQuery);
      if (!list || !list->is_array())
        return remember(invocation,
                        make_error(Code::internal, "the plugin's property list is not a JSON array"));
      for (const Json& p : *list) {
        if (!p.is_string())
          return remember(invocation, make_error(Code::internal, "a property path is not text"));
        properties.push_back(p.get<std::string>());
      }
    }
    auto answer = invocation.inventory->get(*invocation.connection, view(kind), view(moref), properties,
                                            invocation.visible, invocation.limits);
    if (!answer) return remember(invocation, answer.error());
    deliver(out, *answer);
    return VMCP_OK;
  });
}

constexpr vmcp_inventory_1 kInventory = {sizeof(vmcp_inventory_1), 0, inventory_list, inventory_get};

// ---- vmcp.vcenter/1 and vmcp.vim/1

// A refused request is the plugin's fault, not the caller's: kept, so that the outcome names the culprit.
vmcp_status refused(Invocation& invocation, const Error& error) {
  if (invocation.violation.empty()) invocation.violation = error.text;
  return remember(invocation, error);
}

vmcp_status finish(Invocation& invocation, const vcenter::Reply& reply, const vmcp_sink& out, bool change) {
  if (change) {
    invocation.inventory->changed(*invocation.connection);
    if (reply.maybe_happened) invocation.maybe_happened = true;
  }
  if (!reply.body.empty()) deliver(out, reply.body);
  if (reply.ok()) return VMCP_OK;
  return remember(invocation, *reply.error);
}

vmcp_status vcenter_request(vmcp_call* call, vmcp_str method, vmcp_str path, vmcp_str body, vmcp_sink out,
                            int32_t* http_status) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (http_status != nullptr) *http_status = 0;
    if (auto r = may_go_on(invocation, VMCP_IFACE_VCENTER); !r) return remember(invocation, r.error());
    if (body.len > kMaxBody || path.len > 4096)
      return remember(invocation, make_error(Code::internal, "the plugin's request is too large"));
    const auto change = may_request(invocation, view(method), view(path));
    if (!change) return refused(invocation, change.error());
    invocation.sent_change = invocation.sent_change || *change;
    const vcenter::Reply reply =
        invocation.connection->automation({view(method), view(path), view(body)}, invocation.limits);
    if (http_status != nullptr) *http_status = reply.http_status;
    if (reply.ok() && reply.http_status == 201) {  // the id of what was created
      if (auto id = parse_trusted_json(reply.body, 4096); id && id->is_string())
        invocation.created.insert(id->get<std::string>());
    }
    return finish(invocation, reply, out, *change);
  });
}

std::string task_in(std::string_view body) {
  if (body.size() > 4096 || body.find("\"Task\"") == std::string_view::npos) return {};
  auto value = parse_trusted_json(body, 4096);
  if (!value || !value->is_object() || value->value("type", "") != "Task") return {};
  return value->value("value", "");
}

vmcp_status vim_request(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str member, bool property,
                        vmcp_str params, vmcp_sink out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (auto r = may_go_on(invocation, VMCP_IFACE_VIM); !r) return remember(invocation, r.error());
    if (params.len > kMaxBody)
      return remember(invocation, make_error(Code::internal, "the request is too large"));
    const auto change = may_call_vim(invocation, view(type), view(moref), view(member), property);
    if (!change) return refused(invocation, change.error());
    invocation.sent_change = invocation.sent_change || *change;
    const vcenter::Reply reply = invocation.connection->vim(
        {view(type), view(moref), view(member), property, view(params)}, invocation.limits);
    if (*change && reply.ok() && invocation.on_accepted) {
      if (const std::string task = task_in(reply.body); !task.empty()) invocation.on_accepted(task);
    }
    if (property && reply.ok() && reply.body.empty()) {
      deliver(out, "null");
      return VMCP_OK;
    }
    return finish(invocation, reply, out, *change);
  });
}

vmcp_status vim_call(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str method, vmcp_str params,
                     vmcp_sink out) {
  return vim_request(call, type, moref, method, false, params, out);
}
vmcp_status vim_get(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str property, vmcp_sink out) {
  return vim_request(call, type, moref, property, true, {nullptr, 0}, out);
}

constexpr vmcp_vcenter_1 kVcenter = {sizeof(vmcp_vcenter_1), 0, vcenter_request};
constexpr vmcp_vim_1 kVim = {sizeof(vmcp_vim_1), 0, vim_call, vim_get};

}  // namespace

const void* upstream_table(std::string_view iface) {
  if (iface == VMCP_IFACE_INVENTORY) return &kInventory;
  if (iface == VMCP_IFACE_VCENTER) return &kVcenter;
  if (iface == VMCP_IFACE_VIM) return &kVim;
  return nullptr;
}

}  // namespace vmcp::plugin_host
