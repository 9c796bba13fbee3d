#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "vcenter/facts/table.h"
#include "vcenter/operations.h"

using namespace vmcp::vcenter;

namespace {

std::string_view id_of(const Operation* op) {
  return op ? op->id : std::string_view("unlisted");
}

std::string_view found(std::string_view method, std::string_view path) {
  return id_of(find_automation(method, path));
}

// "/api/vcenter/vm/{vm}" → "/api/vcenter/vm/x1"
std::string concrete(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '{') {
      out += pattern[i];
      continue;
    }
    i = pattern.find('}', i);
    out += "x1";
  }
  return out;
}

}  // namespace

TEST_CASE("a concrete path finds its operation") {
  const Operation* op = find_automation("POST", "/api/vcenter/vm/vm-3301/power?action=start");
  REQUIRE(op);
  CHECK(op->id == "POST /api/vcenter/vm/{vm}/power?action=start");
  CHECK(op->effect == Effect::change);
  CHECK(op->privileges == "VirtualMachine.Interact.PowerOn");
  CHECK(op->object == "vm");
  CHECK_FALSE(op->list);
  CHECK(found("GET", "/api/vcenter/vm/vm-1") == "GET /api/vcenter/vm/{vm}");
  CHECK(found("DELETE", "/api/vcenter/vm/vm-1") == "DELETE /api/vcenter/vm/{vm}");
}

TEST_CASE("every operation of the table finds itself by a path made from its id") {
  std::set<std::string_view> seen;
  for (const auto& row : facts::kTable.automation) {
    auto space = row.operation.id.find(' ');
    auto method = row.operation.id.substr(0, space);
    auto path = concrete(row.operation.id.substr(space + 1));
    CHECK_MESSAGE(find_automation(method, path) == &row.operation, row.operation.id);
    CHECK(seen.insert(row.operation.id).second);
  }
  CHECK(seen.size() == facts::kTable.automation.size());
  CHECK(operation_count() ==
        facts::kTable.automation.size() + facts::kTable.methods.size() + facts::kTable.properties.size());
  CHECK(seen.size() > 600);
}

TEST_CASE("methods and wrong verbs do not stand in for each other") {
  CHECK(found("PATCH", "/api/vcenter/vm/vm-1") == "unlisted");
  CHECK(found("get", "/api/vcenter/vm") == "unlisted");
  CHECK(found("", "/api/vcenter/vm") == "unlisted");
  CHECK(found("GET", "/api/vcenter/vm/vm-1/power?action=start") == "unlisted");
  CHECK(found("POST", "/api/vcenter/vm/vm-1/power") == "unlisted");
  CHECK(found("POST", "/api/vcenter/vm/vm-1/power/start") == "unlisted");
  CHECK(found("GET", "/api/vcenter/vm/vm-1/snapshots") == "unlisted");
  CHECK(found("GET", "/api/about") == "unlisted");
  CHECK(found("GET", "/rest/vcenter/vm") == "unlisted");
}

TEST_CASE("paths are case-sensitive and have no empty or dotted segments") {
  for (std::string_view path : {"",
                                "/",
                                "api/vcenter/vm",
                                "/api/vcenter/vm/",
                                "//api/vcenter/vm",
                                "/api//vcenter/vm",
                                "/API/vcenter/vm",
                                "/api/vcenter/VM",
                                "/api/vcenter/vm/.",
                                "/api/vcenter/vm/..",
                                "/api/vcenter/vm/../vm",
                                "/api/./vcenter/vm",
                                "/api/vcenter/vm/%2e%2e",
                                "/api/vcenter/vm/.%2E",
                                "/api/vcenter/vm/%2e",
                                "/api/vcenter/vm#x",
                                "/api/vcenter/vm/vm-1#",
                                "/api/vcenter/vm/vm 1",
                                "/api/vcenter/vm/vm\\1",
                                "/api/vcenter/vm/vm-1\r\nx",
                                "/api/vcenter/vm/%",
                                "/api/vcenter/vm/%4",
                                "/api/vcenter/vm/%zz",
                                "/api/vcenter/vm/a%00b",
                                "/api/vcenter/vm/a%0d",
                                "/api/vcenter/vm/session[1]",
                                "/api/vcenter/vm/\xc3\xa9",
                                "http://evil.example/api/vcenter/vm",
                                "/api/vcenter/vm/vm-1/guest/../power"}) {
    CHECK_MESSAGE(found("GET", path) == "unlisted", path);
  }
  CHECK(found("GET", "/api/vcenter/vm/...") == "GET /api/vcenter/vm/{vm}");  // odd, but nobody normalises it
  CHECK(found("GET", "/api/vcenter/vm/" + std::string(5000, 'a')) == "unlisted");
}

TEST_CASE("an encoded id stays one segment") {
  CHECK(found("GET", "/api/vcenter/vm/vm%2F1/power") == "GET /api/vcenter/vm/{vm}/power");
  CHECK(found("GET", "/api/vcenter/vm/a%2Fpower") == "GET /api/vcenter/vm/{vm}");
  CHECK(found("GET", "/api/cis/tasks/task-88:0a1b") == "GET /api/cis/tasks/{task}");
}

TEST_CASE("only action and vmw-task choose, and nothing may pretend to be them") {
  CHECK(found("POST", "/api/vcenter/vm?action=clone&vmw-task=true") ==
        "POST /api/vcenter/vm?action=clone&vmw-task=true");
  CHECK(found("POST", "/api/vcenter/vm?vmw-task=true&action=clone") ==
        "POST /api/vcenter/vm?action=clone&vmw-task=true");
  CHECK(found("POST", "/api/vcenter/vm?action=clone") == "POST /api/vcenter/vm?action=clone");
  CHECK(found("POST", "/api/vcenter/vm") == "POST /api/vcenter/vm");
  for (std::string_view query : {"action=",
                                 "action",
                                 "action=Start",
                                 "action=start&action=stop",
                                 "action=start&action=start",
                                 "action=nuke",
                                 "action=start&vmw-task=true",
                                 "action=start&vmw-task=false",
                                 "%61ction=start",
                                 "action=st%61rt",
                                 "Action=start",
                                 "action=start&Action=stop",
                                 "~action=start",
                                 "action=start&~action=stop",
                                 "action=start;x=1",
                                 "action=start&",
                                 "&action=start",
                                 "action=start&&a=1",
                                 "=start",
                                 "",
                                 "action=start#x",
                                 "action=start&force=true",
                                 "action+=start"}) {
    CHECK_MESSAGE(found("POST", "/api/vcenter/vm/vm-1/power?" + std::string(query)) == "unlisted", query);
  }
}

TEST_CASE("other query parameters are free on GET and must be documented elsewhere") {
  CHECK(found("GET", "/api/vcenter/vm?names=a&names=b%20c&power_states=POWERED_ON") == "GET /api/vcenter/vm");
  for (std::string_view query :
       {"vmw-task=true", "action=list", "~action=list", "names=a;action=list", "%61ction=list", "Action=list",
        "VMW-Task=true", "na+mes=a", "names=a&", "names=%0a"})
    CHECK_MESSAGE(found("GET", "/api/vcenter/vm?" + std::string(query)) == "unlisted", query);
  CHECK(found("DELETE", "/api/vcenter/datacenter/datacenter-3?force=true") ==
        "DELETE /api/vcenter/datacenter/{datacenter}");
  CHECK(found("DELETE", "/api/vcenter/vm/vm-1?force=true") == "unlisted");
  CHECK(found("POST", "/api/content/library/item?client_token=t") == "POST /api/content/library/item");
}

TEST_CASE("sessions, tickets and tokens are marked as such") {
  for (auto [method, path] : {std::pair{"GET", "/api/session"},
                              {"POST", "/api/session"},
                              {"DELETE", "/api/session"},
                              {"POST", "/api/vcenter/authentication/token"},
                              {"POST", "/api/vcenter/vm/vm-1/console/tickets"}}) {
    const Operation* op = find_automation(method, path);
    REQUIRE_MESSAGE(op, path);
    CHECK(op->effect == Effect::session);
  }
  for (auto [type, method] : {std::pair{"SessionManager", "Login"},
                              {"SessionManager", "CloneSession"},
                              {"VirtualMachine", "AcquireTicket"},
                              {"HostSystem", "AcquireCimServicesTicket"},
                              {"GuestAuthManager", "AcquireCredentialsInGuest"}}) {
    const Operation* op = find_vim_method(type, method);
    REQUIRE_MESSAGE(op, method);
    CHECK(op->effect == Effect::session);
  }
  REQUIRE(find_vim_property("SessionManager", "sessionList"));
  CHECK(find_vim_property("SessionManager", "sessionList")->effect == Effect::session);
  CHECK(find_vim_property("SessionManager", "currentSession.key")->effect == Effect::session);
}

TEST_CASE("nothing whose name speaks of a secret is a mere read") {
  for (const auto& op : facts::kTable.methods) {
    for (std::string_view word : {"Ticket", "Credential", "Login", "Impersonate", "Password", "Token"}) {
      if (op.id.find(word) != std::string_view::npos) CHECK_MESSAGE(op.effect != Effect::read, op.id);
    }
  }
}

TEST_CASE("reading is GET or reviewed, everything else changes") {
  auto effect = [](std::string_view method, std::string_view path) {
    return find_automation(method, path)->effect;
  };
  CHECK(effect("GET", "/api/vcenter/host") == Effect::read);
  CHECK(effect("POST", "/api/cis/tasks?action=list") == Effect::read);
  CHECK(effect("POST", "/api/vcenter/system?action=hello") == Effect::read);
  CHECK(effect("POST", "/api/vcenter/vm") == Effect::change);
  CHECK(effect("PATCH", "/api/vcenter/vm/vm-1/hardware/cpu") == Effect::change);
  CHECK(effect("PUT", "/api/vcenter/vm/vm-1/hardware/boot/device") == Effect::change);
  CHECK(effect("DELETE", "/api/vcenter/vm/vm-1") == Effect::change);
  for (const auto& row : facts::kTable.automation) {
    if (row.method != "GET" && row.method != "POST")
      CHECK_MESSAGE(row.operation.effect != Effect::read, row.operation.id);
    if (row.method == "GET") CHECK_MESSAGE(row.operation.effect != Effect::change, row.operation.id);
  }
}

TEST_CASE("operations that answer for many objects are marked as lists") {
  for (std::string_view path :
       {"/api/vcenter/vm", "/api/vcenter/host", "/api/vcenter/datastore", "/api/vcenter/network",
        "/api/vcenter/datacenter", "/api/vcenter/cluster", "/api/vcenter/folder",
        "/api/vcenter/resource-pool", "/api/vcenter/inventory/datastore", "/api/content/library"}) {
    REQUIRE_MESSAGE(find_automation("GET", path), path);
    CHECK_MESSAGE(find_automation("GET", path)->list, path);
  }
  CHECK(find_automation("POST", "/api/cis/tasks?action=list")->list);
  CHECK_FALSE(find_automation("GET", "/api/vcenter/vm/vm-1/hardware/disk")->list);
  CHECK_FALSE(find_automation("GET", "/api/vcenter/vm/vm-1")->list);
  CHECK_FALSE(find_automation("GET", "/api/appliance/system/version")->list);
  CHECK(find_vim_method("SearchIndex", "FindByUuid")->list);
  CHECK(find_vim_method("PropertyCollector", "RetrievePropertiesEx")->list);
  CHECK_FALSE(find_vim_method("VirtualMachine", "QueryUnownedFiles")->list);
}

TEST_CASE("the object of a path is the inventory object that it names") {
  auto object = [](std::string_view method, std::string_view path) {
    const Operation* op = find_automation(method, path);
    REQUIRE(op);
    PathObject found = path_object(*op, path);
    return std::string(found.parameter) + "=" + std::string(found.value);
  };
  CHECK(object("GET", "/api/vcenter/vm/vm-3301") == "vm=vm-3301");
  CHECK(object("GET", "/api/vcenter/vm/vm%2F3301/hardware/disk/2000") == "vm=vm%2F3301");
  CHECK(object("POST", "/api/vcenter/vm/vm-1/power?action=stop") == "vm=vm-1");
  CHECK(object("POST", "/api/vcenter/vm-template/library-items/t1/check-outs/vm-9?action=check-in") ==
        "vm=vm-9");
  CHECK(object("GET", "/api/cis/tasks/task-1") == "task=task-1");
  CHECK(object("GET", "/api/vcenter/vm") == "=");

  const Operation* power = find_automation("GET", "/api/vcenter/vm/vm-1/power");
  CHECK(path_object(*power, "/api/vcenter/host/vm-1/power").value.empty());
  CHECK(path_object(*power, "/api/vcenter/vm/vm-1/power/more").value.empty());
  CHECK(path_object(*power, "/api/vcenter/vm/vm-1").value.empty());
  CHECK(path_object(*find_vim_method("VirtualMachine", "PowerOnVM_Task"), "/x").value.empty());
}

TEST_CASE("vim25 members are found through the types that they inherit from") {
  CHECK(id_of(find_vim_method("VirtualMachine", "CreateSnapshot_Task")) ==
        "VirtualMachine.CreateSnapshot_Task");
  CHECK(find_vim_method("VirtualMachine", "CreateSnapshot_Task")->privileges ==
        "VirtualMachine.State.CreateSnapshot");
  CHECK(find_vim_method("VirtualMachine", "CreateSnapshot_Task")->effect == Effect::change);
  CHECK(id_of(find_vim_method("VirtualMachine", "Destroy_Task")) == "ManagedEntity.Destroy_Task");
  CHECK(id_of(find_vim_method("ContainerView", "DestroyView")) == "View.DestroyView");
  CHECK(find_vim_method("ContainerView", "DestroyView")->effect == Effect::read);
  CHECK(id_of(find_vim_method("ClusterComputeResource", "ReconfigureComputeResource_Task")) ==
        "ComputeResource.ReconfigureComputeResource_Task");
  CHECK(id_of(find_vim_property("VirtualMachine", "name")) == "ManagedEntity.name");
  CHECK(id_of(find_vim_property("VirtualMachine", "config.hardware.device")) == "VirtualMachine.config");
  CHECK(id_of(find_vim_property("VirtualMachine", "config[\"x\"]")) == "VirtualMachine.config");
  CHECK(id_of(find_vim_property("ServiceInstance", "content")) == "ServiceInstance.content");
}

TEST_CASE("unknown vim25 members are unlisted, whatever they resemble") {
  CHECK(find_vim_method("VirtualMachine", "createSnapshot_Task") == nullptr);
  CHECK(find_vim_method("Datastore", "CreateSnapshot_Task") == nullptr);
  CHECK(find_vim_method("ManagedEntity", "PowerOnVM_Task") == nullptr);
  CHECK(find_vim_method("VirtualMachine", "") == nullptr);
  CHECK(find_vim_method("", "PowerOnVM_Task") == nullptr);
  CHECK(find_vim_method("VirtualMachine.PowerOnVM_Task", "") == nullptr);
  CHECK(find_vim_method("Nonsense", "Login") == nullptr);
  CHECK(find_vim_method("VirtualMachine", "snapshot") == nullptr);
  CHECK(find_vim_property("VirtualMachine", "PowerOnVM_Task") == nullptr);
  CHECK(find_vim_property("VirtualMachine", "") == nullptr);
  CHECK(find_vim_property("Profile", "nothing") == nullptr);
}

TEST_CASE("every vim25 member of the table finds itself") {
  for (const auto& op : facts::kTable.methods) {
    auto dot = op.id.find('.');
    CHECK_MESSAGE(find_vim_method(op.id.substr(0, dot), op.id.substr(dot + 1)) == &op, op.id);
  }
  for (const auto& op : facts::kTable.properties) {
    auto dot = op.id.find('.');
    CHECK_MESSAGE(find_vim_property(op.id.substr(0, dot), op.id.substr(dot + 1)) == &op, op.id);
  }
  auto by_id = [](const Operation& a, const Operation& b) { return a.id < b.id; };
  CHECK(std::is_sorted(facts::kTable.methods.begin(), facts::kTable.methods.end(), by_id));
  CHECK(std::is_sorted(facts::kTable.properties.begin(), facts::kTable.properties.end(), by_id));
}
