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
constexpr std::size_t kMaxLogBytes = 4096;

// ---- vmcp.log/1

void log_write(const vmcp_host* host, int32_t level, vmcp_str message) {
  if (host == nullptr || host->ctx == nullptr) return;
  try {
    static_cast<const HostSide*>(host->ctx)->log(level, view(message));
  } catch (...) {  // a host callback: a log line is not worth a plugin's crash
  }
}
constexpr vmcp_log_1 kLog = {sizeof(vmcp_log_1), 0, log_write};

// ---- vmcp.notify/1

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
constexpr vmcp_notify_1 kNotify = {sizeof(vmcp_notify_1), 0, notify_tools, notify_prompts, notify_resources,
                                   notify_updated};

const void* host_query(const vmcp_host* host, const char* iface) {
  if (iface == nullptr || host == nullptr || host->ctx == nullptr) return nullptr;
  const std::string_view id(iface, strnlen(iface, 64));
  const auto* const side = static_cast<const HostSide*>(host->ctx);
  if (!side->grants(id)) return nullptr;
  if (id == VMCP_IFACE_CALL) return &call_table();
  if (id == VMCP_IFACE_LOG) return &kLog;
  if (id == VMCP_IFACE_NOTIFY) return &kNotify;
  return side->upstream(id);
}

}  // namespace

bool RateWindow::take() {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
  if (second_.exchange(now) != now) taken_ = 0;
  return ++taken_ <= per_second_;
}

HostSide::HostSide(std::string plugin_id, Log& log, ChangeSink on_change, UpstreamTables tables)
    : host_{sizeof(vmcp_host), VMCP_ABI_MAJOR, VMCP_ABI_MINOR, this, host_query},
      plugin_id_(std::move(plugin_id)),
      log_(log),
      on_change_(std::move(on_change)),
      upstream_(tables),
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
