#include "plugin_host/host_api.h"

#include <chrono>
#include <cstring>
#include <exception>

#include "base/json.h"

namespace vmcp::plugin_host {
namespace {

constexpr int kLogLinesPerSecond = 50;
constexpr std::size_t kMaxLogBytes = 4096, kMaxMessage = 4096, kMaxQuery = 64 * 1024, kMaxBody = 1u << 20;

std::string_view view(vmcp_str s) {
  return s.ptr == nullptr ? std::string_view{} : std::string_view(s.ptr, s.len);
}
vmcp_str span(std::string_view s) {
  return {s.data(), s.size()};
}

Invocation* of(vmcp_call* call) {
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

vmcp_status remember(Invocation& invocation, const Error& error) {
  invocation.last_error = error.text;
  invocation.last_code = error.code;
  return status_of(error.code);
}

void deliver(const vmcp_sink& sink, std::string_view bytes) {
  if (sink.put != nullptr) sink.put(sink.ctx, span(bytes));
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

// ---- vmcp.call/0

int32_t call_cancelled(vmcp_call* call) {
  const Invocation* invocation = of(call);
  return invocation == nullptr || invocation->limits.cancel.cancelled() ||
                 std::chrono::steady_clock::now() >= invocation->limits.deadline
             ? 1
             : 0;
}

int64_t call_remaining_ms(vmcp_call* call) {
  const Invocation* invocation = of(call);
  if (invocation == nullptr) return 0;
  return std::chrono::duration_cast<milliseconds>(invocation->limits.deadline -
                                                  std::chrono::steady_clock::now())
      .count();
}

vmcp_status call_progress(vmcp_call* call, double, double, vmcp_str) {
  return of(call) == nullptr ? VMCP_E_FAULT : VMCP_OK;  // no client of plain JSON answers can be told
}

vmcp_status call_add_text(vmcp_call* call, vmcp_str text) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (invocation.text_bytes + text.len > invocation.output.max_text_bytes) {
      invocation.failure = make_error(Code::internal, "the tool's answer is larger than " +
                                                          std::to_string(invocation.output.max_text_bytes) +
                                                          " bytes; ask for less (limit, filters)");
      return VMCP_E_LIMIT;
    }
    invocation.text_bytes += text.len;
    invocation.texts.emplace_back(view(text));
    return VMCP_OK;
  });
}

vmcp_status call_set_json(vmcp_call* call, vmcp_str json) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (json.len > invocation.output.max_json_bytes) {
      invocation.failure = make_error(Code::internal, "the tool's answer is larger than " +
                                                          std::to_string(invocation.output.max_json_bytes) +
                                                          " bytes; ask for less (limit, filters)");
      return VMCP_E_LIMIT;
    }
    invocation.structured.assign(view(json));
    return VMCP_OK;
  });
}

vmcp_status call_fail(vmcp_call* call, vmcp_status status, vmcp_str message) {
  const vmcp_status kept = status < 0 ? status : VMCP_E_FAULT;
  guarded(call, [&](Invocation& invocation) {
    if (!invocation.failure)
      invocation.failure = make_error(code_of(kept), std::string(view(message).substr(0, kMaxMessage)));
    return VMCP_OK;
  });
  return kept;
}

uint32_t call_round(vmcp_call* call) {
  return of(call) == nullptr ? 0 : of(call)->round;
}
vmcp_str call_state(vmcp_call* call) {
  return of(call) == nullptr ? vmcp_str{nullptr, 0} : span(of(call)->state);
}

vmcp_status call_set_state(vmcp_call* call, vmcp_str state) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (state.len > VMCP_STATE_MAX_BYTES) return VMCP_E_LIMIT;
    invocation.next_state.assign(view(state));
    return VMCP_OK;
  });
}

vmcp_status call_need_input(vmcp_call* call, vmcp_str, vmcp_str) {
  return guarded(call, [](Invocation& invocation) -> vmcp_status {
    invocation.last_error = "this client cannot be asked for input";
    return VMCP_E_UNSUPPORTED;
  });
}

vmcp_status call_await_task(vmcp_call* call, vmcp_str task) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    const std::string_view moref = view(task);
    if (moref.empty() || moref.size() > 128 || invocation.connection == nullptr) return VMCP_E_INVALID;
    invocation.awaited_task.assign(moref);
    return VMCP_OK;
  });
}

vmcp_status call_input(vmcp_call* call, vmcp_str key, vmcp_sink out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    const auto found = invocation.inputs.find(std::string(view(key)));
    if (found == invocation.inputs.end()) return VMCP_E_NOT_FOUND;
    deliver(out, found->second);
    return VMCP_OK;
  });
}

vmcp_status call_target(vmcp_call* call, vmcp_str json_pointer, vmcp_target* out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (out == nullptr || out->size < sizeof(vmcp_target)) return VMCP_E_INVALID;
    for (const Target& target : invocation.targets) {
      if (target.pointer != view(json_pointer)) continue;
      out->kind = span(target.object.kind);
      out->vcenter = span(target.object.vcenter);
      out->moref = span(target.object.id);
      out->name = span(target.object.name);
      out->path = span(target.object.path);
      return VMCP_OK;
    }
    return VMCP_E_NOT_FOUND;
  });
}

vmcp_str call_vcenter(vmcp_call* call) {
  const Invocation* invocation = of(call);
  return invocation == nullptr || invocation->connection == nullptr ? vmcp_str{nullptr, 0}
                                                                    : span(invocation->connection->name());
}
int32_t call_verbose(vmcp_call* call) {
  return of(call) != nullptr && of(call)->verbose ? 1 : 0;
}
vmcp_str call_last_error(vmcp_call* call) {
  return of(call) == nullptr ? vmcp_str{nullptr, 0} : span(of(call)->last_error);
}

constexpr vmcp_call_0 kCall = {
    sizeof(vmcp_call_0), 0,          call_cancelled, call_remaining_ms, call_progress,  call_add_text,
    call_set_json,       call_fail,  call_round,     call_state,        call_set_state, call_need_input,
    call_await_task,     call_input, call_target,    call_vcenter,      call_verbose,   call_last_error};

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

const void* host_query(const vmcp_host*, const char* iface) {
  if (iface == nullptr) return nullptr;
  const std::string_view id(iface, strnlen(iface, 64));
  if (id == VMCP_IFACE_CALL) return &kCall;
  if (id == VMCP_IFACE_INVENTORY) return &kInventory;
  if (id == VMCP_IFACE_VCENTER) return &kVcenter;
  if (id == VMCP_IFACE_VIM) return &kVim;
  if (id == VMCP_IFACE_LOG) return &kLog;
  return nullptr;
}

}  // namespace

HostSide::HostSide(std::string plugin_id, Log& log)
    : host_{sizeof(vmcp_host), VMCP_ABI_MAJOR, VMCP_ABI_MINOR, this, host_query},
      plugin_id_(std::move(plugin_id)),
      log_(log) {}

void HostSide::log(int level, std::string_view message) const {
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
  if (window_second_.exchange(second) != second) lines_in_window_ = 0;
  if (++lines_in_window_ > kLogLinesPerSecond) return;
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
