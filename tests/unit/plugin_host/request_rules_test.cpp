#include <doctest/doctest.h>

#include "plugin_host/foreign.h"
#include "plugin_host/host_api.h"
#include "plugin_host/manifest.h"

using namespace vmcp;
using namespace vmcp::plugin_host;

namespace {

Invocation changing() {
  Invocation i;
  i.allowed = Allowed::change;
  Target vm;
  vm.pointer = "/vm_id";
  vm.object.kind = "vm";
  vm.object.id = "vm-1";
  i.targets.push_back(vm);
  Target snapshot;
  snapshot.pointer = "/snapshot_id";
  snapshot.object.kind = "snapshot";
  snapshot.object.id = "snapshot-5";
  snapshot.object.within = "vm-1";
  i.targets.push_back(snapshot);
  Target filter;
  filter.pointer = "/hosts/0";
  filter.object.id = "host-7";
  filter.filter = true;
  i.targets.push_back(filter);
  return i;
}

}  // namespace

TEST_CASE("request rules: a change of the authorised target passes, of anything else it does not") {
  const Invocation i = changing();
  auto own = may_request(i, "POST", "/api/vcenter/vm/vm-1/power?action=start");
  REQUIRE(own.ok());
  CHECK(*own);
  CHECK(may_request(i, "DELETE", "/api/vcenter/vm/vm-1").ok());
  CHECK(may_request(i, "PATCH", "/api/vcenter/vm/vm-1/hardware/cpu").ok());
  for (const char* path :
       {"/api/vcenter/vm/vm-2/power?action=start", "/api/vcenter/vm/vm-10/power?action=start",
        "/api/vcenter/vm/vm%2D1/power?action=start", "/api/vcenter/vm/VM-1/power?action=start",
        "/api/vcenter/vm//power?action=start", "/api/vcenter/vm/vm-1/../vm-2/power?action=start",
        "/api/vcenter/vm/vm-1%2F..%2Fvm-2/power?action=start", "/api/vcenter/host/host-7?action=connect"}) {
    CAPTURE(path);
    auto r = may_request(i, "POST", path);
    CHECK_FALSE(r.ok());
  }
  CHECK_FALSE(
      may_request(i, "POST", "/api/vcenter/host/host-7?action=disconnect").ok());  // a filter is no target
  CHECK_FALSE(may_request(i, "POST", "/api/vcenter/vm").ok());                     // names no object
}

TEST_CASE("request rules: unlisted and session operations are never reachable") {
  const Invocation i = changing();
  CHECK_FALSE(may_request(i, "GET", "/api/about").ok());
  CHECK_FALSE(may_request(i, "POST", "/api/vcenter/vm/vm-1/power/start").ok());
  CHECK_FALSE(may_request(i, "GET", "/api/vcenter/vm/vm-1/snapshots").ok());
  CHECK_FALSE(may_request(i, "POST", "/api/session").ok());
  CHECK_FALSE(may_request(i, "DELETE", "/api/session").ok());
  CHECK_FALSE(may_request(i, "POST", "/api/vcenter/vm/vm-1/console/tickets").ok());
  CHECK_FALSE(may_request(i, "GET", "/rest/vcenter/vm").ok());
  CHECK_FALSE(may_call_vim(i, "SessionManager", "SessionManager", "Login", false).ok());
  CHECK_FALSE(may_call_vim(i, "SessionManager", "SessionManager", "AcquireGenericServiceTicket", false).ok());
  CHECK_FALSE(may_call_vim(i, "VirtualMachine", "vm-1", "AcquireTicket", false).ok());
  CHECK_FALSE(may_call_vim(i, "VirtualMachine", "vm-1", "NoSuch_Task", false).ok());
}

TEST_CASE("request rules: under read effect nothing that changes passes") {
  Invocation i = changing();
  i.allowed = Allowed::read;
  CHECK_FALSE(may_request(i, "POST", "/api/vcenter/vm/vm-1/power?action=start").ok());
  CHECK_FALSE(may_call_vim(i, "VirtualMachine", "vm-1", "CreateSnapshot_Task", false).ok());
  auto read = may_request(i, "GET", "/api/vcenter/vm/vm-2");
  REQUIRE(read.ok());
  CHECK_FALSE(*read);
  CHECK(may_call_vim(i, "VirtualMachine", "vm-2", "snapshot", true).ok());
}

TEST_CASE("request rules: vim changes need the target, its part, or what the call created") {
  Invocation i = changing();
  CHECK(may_call_vim(i, "VirtualMachine", "vm-1", "CreateSnapshot_Task", false).ok());
  CHECK(may_call_vim(i, "VirtualMachineSnapshot", "snapshot-5", "RemoveSnapshot_Task", false).ok());
  CHECK_FALSE(may_call_vim(i, "VirtualMachine", "vm-2", "PowerOffVM_Task", false).ok());
  CHECK_FALSE(may_call_vim(i, "VirtualMachineSnapshot", "snapshot-6", "RemoveSnapshot_Task", false).ok());
  i.created.insert("vm-2");
  CHECK(may_call_vim(i, "VirtualMachine", "vm-2", "PowerOffVM_Task", false).ok());
}

TEST_CASE("request rules: a caller that sees only some objects may not list or look elsewhere") {
  Invocation i = changing();
  i.allowed = Allowed::read;
  i.limited_view = true;
  CHECK_FALSE(may_request(i, "GET", "/api/vcenter/vm").ok());
  CHECK_FALSE(may_request(i, "GET", "/api/vcenter/vm/vm-2").ok());
  CHECK(may_request(i, "GET", "/api/vcenter/vm/vm-1").ok());
  CHECK_FALSE(may_call_vim(i, "PropertyCollector", "propertyCollector", "RetrievePropertiesEx", false).ok());
}

TEST_CASE("status and code: the round trip keeps what the caller should do next") {
  for (const Code code : {Code::invalid_argument, Code::not_found, Code::conflict, Code::denied,
                          Code::unavailable, Code::timeout, Code::cancelled, Code::internal})
    CHECK(code_of(status_of(code)) == code);
}

TEST_CASE(
    "request rules: what the manifest does not declare is refused, although the call would be allowed") {
  Manifest manifest;
  manifest.operations = {"GET /api/vcenter/vm/*", "VirtualMachine.PowerOnVM_Task"};
  Invocation i = changing();
  i.declared = &manifest;
  CHECK(may_request(i, "GET", "/api/vcenter/vm/vm-1").ok());
  CHECK(may_call_vim(i, "VirtualMachine", "vm-1", "PowerOnVM_Task", false).ok());
  for (const auto& refused : {may_request(i, "DELETE", "/api/vcenter/vm/vm-1"),
                              may_call_vim(i, "VirtualMachine", "vm-1", "Destroy_Task", false),
                              may_call_vim(i, "VirtualMachine", "vm-1", "config", true)}) {
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().text.find("manifest does not declare") != std::string::npos);
  }
  i.declared = nullptr;
  CHECK(may_request(i, "DELETE", "/api/vcenter/vm/vm-1").ok());
}

TEST_CASE(
    "request rules: a table that the manifest does not name is closed, also to who reaches it otherwise") {
  // As a child process can, which sends messages whatever its tables offer.
  Manifest manifest;
  Invocation i = changing();
  i.declared = &manifest;
  vmcp_call call{&i};
  const vmcp_sink nowhere{nullptr, nullptr};
  const auto& inventory = *static_cast<const vmcp_inventory_1*>(upstream_table(VMCP_IFACE_INVENTORY));
  const auto& vcenter = *static_cast<const vmcp_vcenter_1*>(upstream_table(VMCP_IFACE_VCENTER));
  const auto& vim = *static_cast<const vmcp_vim_1*>(upstream_table(VMCP_IFACE_VIM));
  const auto named = [&](vmcp_status status, const char* iface) {
    CHECK(status == VMCP_E_DENIED);
    CHECK_MESSAGE(i.last_error.find(iface) != std::string::npos, i.last_error);
  };
  named(inventory.list(&call, span(R"({"kind":"vm"})"), nowhere), VMCP_IFACE_INVENTORY);
  named(inventory.get(&call, span("vm"), span("vm-1"), {}, nowhere), VMCP_IFACE_INVENTORY);
  named(vcenter.request(&call, span("GET"), span("/api/vcenter/vm"), {}, nowhere, nullptr),
        VMCP_IFACE_VCENTER);
  named(vim.call(&call, span("VirtualMachine"), span("vm-1"), span("PowerOnVM_Task"), {}, nowhere),
        VMCP_IFACE_VIM);
  named(vim.get(&call, span("VirtualMachine"), span("vm-1"), span("config"), nowhere), VMCP_IFACE_VIM);
}
