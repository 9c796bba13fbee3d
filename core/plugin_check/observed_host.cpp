#include "plugin_check/observed_host.h"

#include <chrono>
#include <cstring>

#include "plugin_host/call_api.h"

namespace vmcp::plugin_check {
namespace {

constexpr std::size_t kMaxErrors = 100, kMaxAsked = 100;

// One function of a host table with a look before and after. `Own` gives the host's table, `Member` the
// function in it.
template <auto Own, auto Member, bool AnyThread, class F>
struct Watched;
template <auto Own, auto Member, bool AnyThread, class R, class... A>
struct Watched<Own, Member, AnyThread, R (*)(vmcp_call*, A...)> {
  static R run(vmcp_call* handle, A... arguments) {
    auto* const call = static_cast<ObservedCall*>(handle);
    if (call == nullptr) return (Own()->*Member)(handle, arguments...);
    if (call->ended) {
      // Its invocation is gone.
      call->used_after_end = true;
      return R{};
    }
    if (++call->used == call->cancel_at) {
      call->cancelled_at = std::chrono::steady_clock::now();
      call->invocation->limits.cancel.cancel();
    }
    if (!AnyThread && std::this_thread::get_id() != call->worker) call->wrong_thread = true;
    R said = (Own()->*Member)(handle, arguments...);
    if constexpr (std::is_same_v<R, vmcp_status>)
      if (said == VMCP_E_LIMIT) call->over_limit = true;
    return said;
  }
};

const vmcp_call_1* call_table() {
  return &plugin_host::call_table();
}
// The other tables are only to be had by asking, as a plugin does.
template <class Table>
const Table* host_table(const char* iface) {
  static SilentLog log;
  static const plugin_host::HostSide host("org.vmcp.check", log, {});
  return static_cast<const Table*>(host.table()->query(host.table(), iface));
}
const vmcp_inventory_1* inventory_table() {
  return host_table<vmcp_inventory_1>(VMCP_IFACE_INVENTORY);
}
const vmcp_vcenter_1* vcenter_table() {
  return host_table<vmcp_vcenter_1>(VMCP_IFACE_VCENTER);
}
const vmcp_vim_1* vim_table() {
  return host_table<vmcp_vim_1>(VMCP_IFACE_VIM);
}

template <auto Own, auto Member, bool AnyThread = false, class Table>
void watch(Table& table) {
  table.*Member = &Watched<Own, Member, AnyThread, std::remove_reference_t<decltype(table.*Member)>>::run;
}

vmcp_call_1 watched_call() {
  vmcp_call_1 t = *call_table();
  watch<call_table, &vmcp_call_1::cancelled, true>(t);
  watch<call_table, &vmcp_call_1::remaining_ms, true>(t);
  watch<call_table, &vmcp_call_1::progress>(t);
  watch<call_table, &vmcp_call_1::add_text>(t);
  watch<call_table, &vmcp_call_1::set_json>(t);
  watch<call_table, &vmcp_call_1::fail>(t);
  watch<call_table, &vmcp_call_1::round>(t);
  watch<call_table, &vmcp_call_1::state>(t);
  watch<call_table, &vmcp_call_1::set_state>(t);
  watch<call_table, &vmcp_call_1::need_input>(t);
  watch<call_table, &vmcp_call_1::await_task>(t);
  watch<call_table, &vmcp_call_1::input>(t);
  watch<call_table, &vmcp_call_1::target>(t);
  watch<call_table, &vmcp_call_1::vcenter>(t);
  watch<call_table, &vmcp_call_1::verbose>(t);
  watch<call_table, &vmcp_call_1::last_error>(t);
  watch<call_table, &vmcp_call_1::add_content>(t);
  watch<call_table, &vmcp_call_1::log>(t);
  watch<call_table, &vmcp_call_1::client_can>(t);
  watch<call_table, &vmcp_call_1::traceparent>(t);
  watch<call_table, &vmcp_call_1::close_stream>(t);
  return t;
}
vmcp_inventory_1 watched_inventory() {
  vmcp_inventory_1 t = *inventory_table();
  watch<inventory_table, &vmcp_inventory_1::list>(t);
  watch<inventory_table, &vmcp_inventory_1::get>(t);
  return t;
}
vmcp_vcenter_1 watched_vcenter() {
  vmcp_vcenter_1 t = *vcenter_table();
  watch<vcenter_table, &vmcp_vcenter_1::request>(t);
  return t;
}
vmcp_vim_1 watched_vim() {
  vmcp_vim_1 t = *vim_table();
  watch<vim_table, &vmcp_vim_1::call>(t);
  watch<vim_table, &vmcp_vim_1::get>(t);
  return t;
}

}  // namespace

void HeardLog::write(LogLevel level, std::string_view, std::initializer_list<Field> fields) {
  if (level != LogLevel::error) return;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, value] : fields)
    if (key == "message" && errors_.size() < kMaxErrors) errors_.emplace_back(value);
}

std::vector<std::string> HeardLog::take_errors() {
  const std::lock_guard lock(mutex_);
  return std::exchange(errors_, {});
}

ObservedHost::ObservedHost(const std::string& plugin_id, Log& log) : inner_(plugin_id, log, {}) {
  static_cast<vmcp_host&>(table_) = *inner_.table();
  table_.query = &ObservedHost::query;
  table_.owner = this;
}

std::set<std::string> ObservedHost::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

const void* ObservedHost::query(const vmcp_host* host, const char* iface) {
  static const vmcp_call_1 kCall = watched_call();
  static const vmcp_inventory_1 kInventory = watched_inventory();
  static const vmcp_vcenter_1 kVcenter = watched_vcenter();
  static const vmcp_vim_1 kVim = watched_vim();
  if (host == nullptr || iface == nullptr) return nullptr;
  ObservedHost& self = *static_cast<const Table*>(host)->owner;
  const std::string id(iface, strnlen(iface, 64));
  {
    const std::lock_guard lock(self.mutex_);
    if (self.asked_.size() < kMaxAsked) self.asked_.insert(id);
  }
  if (id == VMCP_IFACE_CALL) return &kCall;
  if (id == VMCP_IFACE_INVENTORY) return &kInventory;
  if (id == VMCP_IFACE_VCENTER) return &kVcenter;
  if (id == VMCP_IFACE_VIM) return &kVim;
  return self.inner_.table()->query(self.inner_.table(), iface);
}

}  // namespace vmcp::plugin_check
