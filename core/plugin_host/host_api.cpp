#include "plugin_host/host_api.h"

#include <chrono>
#include <cstring>
#include <exception>

#include "base/json.h"
#include "plugin_host/call_api.h"
#include "plugin_host/offers.h"

namespace vmcp::plugin_host {
namespace {

constexpr int kLogLinesPerSecond = 50, kChangesPerSecond = 1'000;
constexpr std::size_t kMaxLogBytes = 4096, kMaxQuery = 64 * 1024, kMaxBody = 1u << 20;

vmcp_status remember(Invocation& invocation, const Error& error) {
  invocation.last_error = error.text;
  invocation.last_code = error.code;
  return status_of(error.code);
}

// Everything that reaches a vCenter passes here first: counted, timed, not after cancellation.
Result<void> may_go_on(Invocation& invocation) {
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

// ---- vmcp.inventory/0

vmcp_status inventory_list(vmcp_call* call, vmcp_str query_json, vmcp_sink out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (auto r = may_go_on(invocation); !r) return remember(invocation, r.error());
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
    if (auto r = may_go_on(invocation); !r) return remember(invocation, r.error());
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

constexpr vmcp_inventory_0 kInventory = {sizeof(vmcp_inventory_0), 0, inventory_list, inventory_get};

// ---- vmcp.vcenter/0 and vmcp.vim/0

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
    if (auto r = may_go_on(invocation); !r) return remember(invocation, r.error());
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
    if (auto r = may_go_on(invocation); !r) return remember(invocation, r.error());
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

constexpr vmcp_vcenter_0 kVcenter = {sizeof(vmcp_vcenter_0), 0, vcenter_request};
constexpr vmcp_vim_0 kVim = {sizeof(vmcp_vim_0), 0, vim_call, vim_get};

// ---- vmcp.log/0

void log_write(const vmcp_host* host, int32_t level, vmcp_str message) {
  if (host == nullptr || host->ctx == nullptr) return;
  try {
    static_cast<const HostSide*>(host->ctx)->log(level, view(message));
  } catch (...) {  // a host callback: a log line is not worth a plugin's crash
  }
}
constexpr vmcp_log_0 kLog = {sizeof(vmcp_log_0), 0, log_write};

// ---- vmcp.notify/0

vmcp_status notify(const vmcp_host* host, Change::Kind kind, std::string_view uri) noexcept {
  if (host == nullptr || host->ctx == nullptr) return VMCP_E_INVALID;
  try {
    return static_cast<const HostSide*>(host->ctx)->changed(kind, uri);
  } catch (...) {  // a host callback, as above
    return VMCP_E_FAULT;
  }
}
vmcp_status notify_tools(const vmcp_host* host) {
  return notify(host, Change::Kind::tools, {});
}
vmcp_status notify_prompts(const vmcp_host* host) {
  return notify(host, Change::Kind::prompts, {});
}
vmcp_status notify_resources(const vmcp_host* host) {
  return notify(host, Change::Kind::resources, {});
}
vmcp_status notify_updated(const vmcp_host* host, vmcp_str uri) {
  return notify(host, Change::Kind::updated, view(uri));
}
constexpr vmcp_notify_0 kNotify = {sizeof(vmcp_notify_0), 0, notify_tools, notify_prompts, notify_resources,
                                   notify_updated};

const void* host_query(const vmcp_host*, const char* iface) {
  if (iface == nullptr) return nullptr;
  const std::string_view id(iface, strnlen(iface, 64));
  if (id == VMCP_IFACE_CALL) return &call_table();
  if (id == VMCP_IFACE_INVENTORY) return &kInventory;
  if (id == VMCP_IFACE_VCENTER) return &kVcenter;
  if (id == VMCP_IFACE_VIM) return &kVim;
  if (id == VMCP_IFACE_LOG) return &kLog;
  if (id == VMCP_IFACE_NOTIFY) return &kNotify;
  return nullptr;
}

}  // namespace

bool RateWindow::take() {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
  if (second_.exchange(now) != now) taken_ = 0;
  return ++taken_ <= per_second_;
}

HostSide::HostSide(std::string plugin_id, Log& log, ChangeSink on_change)
    : host_{sizeof(vmcp_host), VMCP_ABI_MAJOR, VMCP_ABI_MINOR, this, host_query},
      plugin_id_(std::move(plugin_id)),
      log_(log),
      on_change_(std::move(on_change)),
      log_lines_(kLogLinesPerSecond),
      changes_(kChangesPerSecond) {}

vmcp_status HostSide::changed(Change::Kind kind, std::string_view uri) const {
  if (!live_) return VMCP_E_UNAVAILABLE;
  if (kind == Change::Kind::updated) {
    if (uri.empty() || uri.size() > kMaxUriBytes) return VMCP_E_INVALID;
    if (!owns_uri(plugin_id_, schemes_, uri)) return VMCP_E_DENIED;
  }
  if (!changes_.take()) return VMCP_E_LIMIT;
  if (on_change_) on_change_({kind, std::string(uri), plugin_id_});
  return VMCP_OK;
}

void HostSide::log(int level, std::string_view message) const {
  if (!log_lines_.take()) return;
  const LogLevel as = level <= VMCP_LOG_DEBUG     ? LogLevel::debug
                      : level == VMCP_LOG_INFO    ? LogLevel::info
                      : level == VMCP_LOG_WARNING ? LogLevel::warning
                                                  : LogLevel::error;
  log_.write(as, "plugin", {{"id", plugin_id_}, {"message", message.substr(0, kMaxLogBytes)}});
}

vmcp_status status_of(Code code) {
  switch (code) {
    case Code::invalid_argument:
    case Code::malformed:
    case Code::unknown_tool:
      return VMCP_E_INVALID;
    case Code::not_found:
      return VMCP_E_NOT_FOUND;
    case Code::conflict:
    case Code::needs_confirm:
      return VMCP_E_CONFLICT;
    case Code::denied:
    case Code::unauthenticated:
      return VMCP_E_DENIED;
    case Code::throttled:
    case Code::unavailable:
      return VMCP_E_UNAVAILABLE;
    case Code::timeout:
      return VMCP_E_TIMEOUT;
    case Code::client_lacks:
      return VMCP_E_UNSUPPORTED;
    case Code::cancelled:
      return VMCP_E_CANCELLED;
    case Code::internal:
      return VMCP_E_FAULT;
  }
  return VMCP_E_FAULT;
}

Code code_of(vmcp_status status) {
  switch (status) {
    case VMCP_E_INVALID:
      return Code::invalid_argument;
    case VMCP_E_NOT_FOUND:
      return Code::not_found;
    case VMCP_E_CONFLICT:
      return Code::conflict;
    case VMCP_E_DENIED:
      return Code::denied;
    case VMCP_E_UNAVAILABLE:
      return Code::unavailable;
    case VMCP_E_TIMEOUT:
      return Code::timeout;
    case VMCP_E_CANCELLED:
      return Code::cancelled;
    case VMCP_E_UNSUPPORTED:
      return Code::unavailable;
    case VMCP_E_LIMIT:
      return Code::invalid_argument;
    default:
      return Code::internal;
  }
}

}  // namespace vmcp::plugin_host
