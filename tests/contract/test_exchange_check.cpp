#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "contract/exchange_check.h"

using namespace vmcp;
using namespace vmcp::contract;

namespace {

Json read_json(const std::string& name) {
  std::ifstream file(std::string(VMCP_CONTRACT_DIR "/") + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  auto parsed = parse_trusted_json(text.str());
  REQUIRE_MESSAGE(parsed.ok(), name);
  return std::move(*parsed);
}

const ExchangeCheck& checker() {
  static const ExchangeCheck check = [] {
    auto exceptions = Exceptions::parse(read_json("exceptions.json"));
    REQUIRE(exceptions.ok());
    auto made = ExchangeCheck::make(read_json("official-facts.json"), std::move(*exceptions));
    REQUIRE(made.ok());
    return std::move(*made);
  }();
  return check;
}

// The rules that the exchange breaks, in order, separated by spaces.
std::string rules(const Exchange& exchange, const ExchangeCheck& check = checker()) {
  std::string out, texts;
  for (const auto& d : check.check(exchange)) {
    out += (out.empty() ? "" : " ") + d.rule;
    texts += d.text + "\n";
  }
  INFO(texts);
  return out;
}

// As the recorder keeps a body.
Json body(const std::string& text) {
  if (text.empty()) return nullptr;
  auto parsed = parse_trusted_json(text);
  return parsed ? std::move(*parsed) : Json(text);
}

Exchange exchange(const char* dialect, std::string method, std::string path, const std::string& request,
                  int status, const std::string& reply) {
  return {std::move(method), std::move(path), dialect, body(request), body(reply), status, false};
}
Exchange api(std::string method, std::string path, const std::string& request, int status,
             const std::string& reply) {
  return exchange("api", std::move(method), std::move(path), request, status, reply);
}
Exchange rest(std::string method, std::string path, const std::string& request, int status,
              const std::string& reply) {
  return exchange("rest", std::move(method), std::move(path), request, status, reply);
}
Exchange vim(std::string method, const std::string& path, const std::string& request, int status,
             const std::string& reply) {
  return exchange("vim", std::move(method), "/sdk/vim25/8.0.2.0/" + path, request, status, reply);
}

const std::string kNotFound =
    R"({"error_type":"NOT_FOUND","messages":[{"id":"a.b","default_message":"No such VM.","args":["vm-1"]}]})";
const std::string kRef = R"({"_typeName":"ManagedObjectReference","type":"VirtualMachine","value":"vm-1"})";
const std::string kTask = R"({"_typeName":"ManagedObjectReference","type":"Task","value":"task-1"})";

std::string content(const std::string& properties, const std::string& type = "VirtualMachine") {
  return R"({"_typeName":"RetrieveResult","objects":[{"_typeName":"ObjectContent","obj":{"_typeName":"ManagedObjectReference","type":")" +
         type + R"(","value":"x-1"},"propSet":[)" + properties + "]}]}";
}
std::string property(const std::string& name, const std::string& value) {
  return R"({"_typeName":"DynamicProperty","name":")" + name + R"(","val":)" + value + "}";
}
Exchange continued(const std::string& reply) {
  return vim("POST", "PropertyCollector/pc/ContinueRetrievePropertiesEx", R"({"token":"2"})", 200, reply);
}

}  // namespace

TEST_CASE("exchanges of the Automation API as documented break no rule") {
  CHECK(rules(api("POST", "/api/session", "", 201, R"("f0a1")")) == "");
  CHECK(rules(api("DELETE", "/api/session", "", 204, "")) == "");
  CHECK(
      rules(api(
          "GET", "/api/vcenter/vm?names=a&power_states=POWERED_ON", "", 200,
          R"([{"vm":"vm-1","name":"a","power_state":"POWERED_ON","cpu_count":4,"memory_size_MiB":8192}])")) ==
      "");
  CHECK(rules(api("POST", "/api/vcenter/vm/vm-1/power?action=start", "", 204, "")) == "");
  CHECK(rules(api("PATCH", "/api/vcenter/vm/vm-1/hardware/memory", R"({"size_MiB":4096})", 204, "")) == "");
  CHECK(rules(api("GET", "/api/vcenter/vm/vm-1/power", "", 404, kNotFound)) == "");
  CHECK(rules(api("GET", "/api/appliance/health/system", "", 200, R"("green")")) == "");
  CHECK(rules(api("POST", "/api/vcenter/system?action=hello", R"({"api_releases":["8.0.2.0"]})", 200,
                  R"({"api_release":"8.0.2.0"})")) == "");
  CHECK(rules(api("POST", "/api/vcenter/vm?action=clone&vmw-task=true", R"({"source":"vm-1","name":"b"})",
                  202, R"("task-88:0a")")) == "");
}

TEST_CASE("exchanges in the rest dialect as documented break no rule") {
  CHECK(rules(rest("POST", "/rest/com/vmware/cis/session", "", 200, R"({"value":"f0a1"})")) == "");
  CHECK(
      rules(rest(
          "POST", "/rest/com/vmware/cis/session?~action=get", "", 200,
          R"({"value":{"user":"u","created_time":"2026-02-03T10:11:12Z","last_accessed_time":"2026-02-03T10:11:12Z"}})")) ==
      "");
  CHECK(rules(rest("POST", "/rest/vcenter/vm/vm-1/power/start", "", 200, "")) == "");
  CHECK(rules(rest("GET", "/rest/vcenter/vm/vm-1/power", "", 404,
                   R"({"type":"com.vmware.vapi.std.errors.not_found","value":)" + kNotFound + "}")) == "");
}

TEST_CASE("tags are named and wrapped in each dialect's own way") {
  const std::string path = "/api/cis/tagging/", old = "/rest/com/vmware/cis/tagging/";
  CHECK(rules(api("GET", path + "tag/urn%3At1", "", 404, kNotFound)) == "");
  CHECK(rules(api("POST", path + "tag-association?action=list-attached-objects-on-tags",
                  R"({"tag_ids":["t1"]})", 200,
                  R"([{"tag_id":"t1","object_ids":[{"type":"VirtualMachine","id":"vm-1"}]}])")) == "");
  CHECK(rules(rest("POST", old + "tag/id:c1?~action=list-tags-for-category", "", 200,
                   R"({"value":["t1"]})")) == "");
  CHECK(rules(rest("POST", old + "tag-association/id:t1?~action=attach",
                   R"({"object_id":{"type":"VirtualMachine","id":"vm-1"}})", 200, "")) == "");
  CHECK(rules(rest("GET", old + "tag/t1", "", 200, R"({"value":[]})")) == "path");
  CHECK(rules(rest("GET", old + "tag/id:", "", 200, R"({"value":[]})")) == "path");
  CHECK(rules(rest("POST", old + "tag-association/id:t1?action=attach", "{}", 200, "")) == "path");
  CHECK(rules(rest("POST", old + "tag", R"({"name":"n"})", 200, R"({"value":"t1"})")) ==
        "unknown-field required");
  CHECK(rules(api("POST", path + "tag-association/t1?action=attach", R"({"object_id":"vm-1"})", 204, "")) ==
        "type");
}

TEST_CASE("unlisted paths, wrong verbs and mixed dialects are found") {
  CHECK(rules(api("GET", "/api/vcenter/vm/vm-1/snapshots", "", 200, "[]")) == "path");
  CHECK(rules(api("GET", "/api/about", "", 200, "{}")) == "path");
  CHECK(rules(api("POST", "/api/vcenter/vm/vm-1/power/start", "", 204, "")) == "path");
  CHECK(rules(api("POST", "/api/vcenter/vm/vm-1/power?action=nuke", "", 204, "")) == "path");
  CHECK(rules(api("POST", "/api/vcenter/vm/vm-1/power", "", 204, "")) == "path");
  CHECK(rules(api("GET", "/api/vcenter/vm//power", "", 200, "{}")) == "path");
  CHECK(rules(api("PUT", "/api/vcenter/vm", "", 200, "{}")) == "method");
  CHECK(rules(api("GET", "/rest/vcenter/vm", "", 200, "[]")) == "path");
  CHECK(rules(rest("POST", "/rest/vcenter/vm/vm-1/power?action=start", "", 200, "")) == "method");
}

TEST_CASE("query parameters must be documented and well typed") {
  CHECK(rules(api("GET", "/api/vcenter/vm?filter.names=a", "", 200, "[]")) == "query");
  CHECK(rules(rest("GET", "/rest/vcenter/vm?names=a", "", 200, R"({"value":[]})")) == "query");
  CHECK(rules(api("GET", "/api/vcenter/vm?power_states=ON", "", 200, "[]")) == "enum");
  CHECK(rules(api("DELETE", "/api/vcenter/datacenter/datacenter-3?force=yes", "", 204, "")) == "type");
  CHECK(rules(api("GET", "/api/vcenter/inventory/datastore", "", 200, "{}")) == "query");
}

TEST_CASE("request bodies must fit") {
  CHECK(rules(api("POST", "/api/session", "{}", 201, R"("a")")) == "body");
  CHECK(rules(api("POST", "/api/vcenter/vm", "{}", 201, R"("vm-1")")) == "required");
  CHECK(rules(api("POST", "/api/vcenter/vm", "{", 201, R"("vm-1")")) == "type");
  CHECK(rules(api("POST", "/api/vcenter/system?action=hello", "", 200, R"({"api_release":""})")) == "body");
  CHECK(rules(api("PATCH", "/api/vcenter/vm/vm-1/hardware/memory", R"({"spec":{"size_MiB":4096}})", 204,
                  "")) == "unknown-field");
  CHECK(rules(api("PATCH", "/api/vcenter/vm/vm-1/hardware/memory", R"({"size_MiB":"4096"})", 204, "")) ==
        "type");
  CHECK(rules(rest("PATCH", "/rest/vcenter/vm/vm-1/hardware/memory", R"({"size_MiB":4096})", 200, "")) ==
        "unknown-field required");
}

TEST_CASE("replies must fit") {
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200, "{}")) == "type");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200, R"({"value":[]})")) == "type");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200, R"([{"vm":"vm-1","name":"a"}])")) == "required");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200, R"([{"vm":"vm-1","name":"a","power_state":"ON"}])")) ==
        "enum");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200,
                  R"([{"vm":7,"name":"a","power_state":"POWERED_ON"}])")) == "type");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200,
                  R"([{"vm":"vm-1","name":"a","power_state":"POWERED_ON","host":"host-1"}])")) ==
        "unknown-field");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200, "")) == "body");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 200, "[")) == "type");
  CHECK(rules(api("GET", "/api/vcenter/vm", "", 204, "")) == "status");
  CHECK(rules(api("DELETE", "/api/session", "", 204, "{}")) == "body");
  CHECK(rules(rest("GET", "/rest/vcenter/vm", "", 200, "[]")) == "type");
}

TEST_CASE("error bodies have one shape and belong to their status") {
  auto power = [](int status, const std::string& body) {
    return rules(api("POST", "/api/vcenter/vm/vm-1/power?action=start", "", status, body));
  };
  CHECK(power(400, R"({"error_type":"ALREADY_IN_DESIRED_STATE","messages":[]})") == "");
  CHECK(power(500, R"({"error_type":"RESOURCE_BUSY","messages":[]})") == "");
  CHECK(power(401, R"({"error_type":"UNAUTHENTICATED","messages":[],"challenge":"Basic"})") == "");
  CHECK(power(400, R"({"error_type":"RESOURCE_BUSY","messages":[]})") == "error-status");
  CHECK(power(404, R"({"error_type":"NOT_FOUND","messages":[],"challenge":"Basic"})") == "error-shape");
  CHECK(power(404, R"({"messages":[]})") == "error-shape");
  CHECK(power(404, R"({"error_type":"NOT_FOUND"})") == "required");
  CHECK(power(404, R"({"error_type":"GONE","messages":[]})") == "enum error-status");
  CHECK(power(404, R"({"error_type":"NOT_FOUND","messages":[{"id":"a"}]})") == "required required");
  CHECK(power(404, R"({"error_type":"NOT_FOUND","messages":[],"code":5})") == "unknown-field");
  CHECK(power(404, R"("no")") == "error-shape");
  CHECK(power(404, "") == "body");
  CHECK(power(418, R"({"error_type":"NOT_FOUND","messages":[]})") == "status error-status");
  auto in_rest = [](int status, const std::string& body) {
    return rules(rest("POST", "/rest/vcenter/vm/vm-1/power/start", "", status, body));
  };
  CHECK(in_rest(404, kNotFound) == "error-shape");
  CHECK(in_rest(404, R"({"type":"com.vmware.vapi.std.errors.unsupported","value":)" + kNotFound + "}") ==
        "error-shape");
  CHECK(
      in_rest(
          400,
          R"({"type":"com.vmware.vapi.std.errors.resource_busy","value":{"error_type":"RESOURCE_BUSY","messages":[]}})") ==
      "");
}

TEST_CASE("VI/JSON exchanges as documented break no rule") {
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name", "", 200, R"("ledger-db")")) == "");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/snapshot", "", 204, "")) == "");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/snapshot", "", 200, "null")) == "");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/datastore", "", 200,
                  R"([{"_typeName":"ManagedObjectReference","type":"Datastore","value":"datastore-1"}])")) ==
        "");
  CHECK(
      rules(vim(
          "POST", "VirtualMachine/vm-1/CreateSnapshotEx_Task",
          R"({"name":"a","memory":false,"quiesceSpec":{"_typeName":"VirtualMachineWindowsQuiesceSpec","timeout":10}})",
          200, kTask)) == "");
  CHECK(rules(vim("POST", "ContainerView/session%5B1%5D2/DestroyView", "", 204, "")) == "");
  CHECK(rules(vim("POST", "SessionManager/SessionManager/Login", R"({"userName":"u","password":"p"})", 500,
                  R"({"_typeName":"InvalidLogin","faultstring":"Cannot complete login."})")) == "");
  CHECK(
      rules(vim(
          "POST", "VirtualMachine/vm-1/PowerOnVM_Task", "{}", 500,
          R"({"_typeName":"NotAuthenticated","faultstring":"x","object":{"_typeName":"ManagedObjectReference","type":"Folder","value":"group-d1"},"privilegeId":"System.View"})")) ==
      "");
  CHECK(
      rules(continued(content(
          property("name", R"({"_typeName":"string","_value":"a"})") + "," +
          property("runtime.powerState", R"({"_typeName":"VirtualMachinePowerState","_value":"poweredOn"})") +
          "," +
          property("runtime.host",
                   R"({"_typeName":"ManagedObjectReference","type":"HostSystem","value":"host-1"})") +
          "," + property("datastore", R"({"_typeName":"ArrayOfManagedObjectReference","_value":[]})") + "," +
          property("summary.quickStats.overallCpuUsage", R"({"_typeName":"int","_value":7})")))) == "");
}

TEST_CASE("VI/JSON paths and verbs must exist") {
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/snapshots", "", 200, "null")) == "path");
  CHECK(rules(vim("GET", "Machine/vm-1/name", "", 200, R"("a")")) == "path");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1", "", 200, "{}")) == "path");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/PowerOnVM_Task", "", 200, kTask)) == "method");
  CHECK(rules(vim("POST", "VirtualMachine/vm-1/name", "{}", 200, R"("a")")) == "method");
  CHECK(rules(vim("PUT", "VirtualMachine/vm-1/name", "{}", 200, R"("a")")) == "method");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name?x=1", "", 200, R"("a")")) == "query");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name", "{}", 200, R"("a")")) == "body");
  Exchange release = vim("GET", "VirtualMachine/vm-1/name", "", 200, R"("a")");
  release.path = "/sdk/vim25/release/VirtualMachine/vm-1/name";
  CHECK(rules(release) == "path");
}

TEST_CASE("VI/JSON parameters must fit") {
  auto snapshot = [](const std::string& parameters) {
    return rules(vim("POST", "VirtualMachine/vm-1/CreateSnapshotEx_Task", parameters, 200, kTask));
  };
  CHECK(snapshot(R"({"name":"a"})") == "required");
  CHECK(snapshot(R"({"name":"a","memory":"no"})") == "type");
  CHECK(snapshot(R"({"name":"a","memory":false,"quiesce":true})") == "unknown-field");
  CHECK(snapshot(R"({"name":"a","memory":false,"quiesceSpec":{"timeout":10}})") == "vim-type");
  CHECK(snapshot(R"({"name":"a","memory":false,"quiesceSpec":{"_typeName":"TaskInfo"}})") == "vim-type");
  CHECK(snapshot("[]") == "type");
  CHECK(snapshot("{") == "type");
  CHECK(rules(vim("POST", "VirtualMachine/vm-1/PowerOnVM_Task", R"({"host":)" + kRef + "}", 200, kTask)) ==
        "vim-type");
  CHECK(rules(vim("POST", "VirtualMachine/vm-1/PowerOnVM_Task",
                  R"({"host":{"type":"HostSystem","value":"host-1"}})", 200, kTask)) == "vim-type");
  CHECK(rules(vim("POST", "VirtualMachine/vm-1/PowerOnVM_Task",
                  R"({"host":{"_typeName":"ManagedObjectReference","type":"HostSystem"}})", 200, kTask)) ==
        "required");
}

TEST_CASE("VI/JSON replies must fit") {
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name", "", 200, R"({"_typeName":"string","_value":"a"})")) ==
        "type");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name", "", 204, "")) == "required");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name", "", 201, R"("a")")) == "status");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/config", "", 200, "[")) == "type");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/snapshot", "", 204, "{}")) == "body vim-type");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/guestHeartbeatStatus", "", 200, R"("blue")")) == "enum");
  CHECK(rules(vim("POST", "VirtualMachine/vm-1/PowerOnVM_Task", "{}", 200, kRef)) == "vim-type");
  CHECK(rules(vim("POST", "View/v/DestroyView", "{}", 200, R"("x")")) == "body");
  CHECK(rules(vim("GET", "ServiceInstance/ServiceInstance/serverClock", "", 200, R"("2026-02-03")")) ==
        "type");
  CHECK(rules(vim("GET", "ServiceInstance/ServiceInstance/serverClock", "", 200,
                  R"("2026-02-03T10:11:12.5+01:00")")) == "");
}

TEST_CASE("values of unknown type are boxed, and as their path declares") {
  auto one = [](const std::string& name, const std::string& value) {
    return rules(continued(content(property(name, value))));
  };
  CHECK(one("name", R"("a")") == "vim-boxing");
  CHECK(one("name", R"({"_typeName":"string"})") == "vim-boxing");
  CHECK(one("name", R"({"_typeName":"string","_value":"a","x":1})") == "vim-boxing");
  CHECK(one("name", R"({"_typeName":"xsd:string","_value":"a"})") == "vim-property vim-boxing");
  CHECK(one("name", R"({"_typeName":"int","_value":1})") == "vim-property");
  CHECK(one("name", R"({"_typeName":"int","_value":"a"})") == "vim-property type");
  CHECK(one("runtime.powerState", R"({"_typeName":"string","_value":"poweredOn"})") == "vim-property");
  CHECK(one("runtime.powerState", R"({"_typeName":"VirtualMachinePowerState","_value":"on"})") == "enum");
  CHECK(one("datastore", R"({"_typeName":"ManagedObjectReference","type":"Datastore","value":"d"})") ==
        "vim-property");
  CHECK(one("runtime.host", kRef) == "vim-type");
  CHECK(one("runtime.nonsense", R"({"_typeName":"string","_value":"a"})") == "vim-property");
  CHECK(one("nonsense", R"({"_typeName":"string","_value":"a"})") == "vim-property");
  CHECK(one("summary.quickStats",
            R"({"_typeName":"VirtualMachineQuickStats","guestHeartbeatStatus":"green","x":1})") ==
        "unknown-field");
  CHECK(one("summary.quickStats", R"({"_typeName":"VirtualMachineQuickStats"})") == "required");
}

TEST_CASE("faults come as 500 with their type and only where they are declared") {
  auto fault = [](int status, const std::string& body) {
    return rules(vim("POST", "VirtualMachine/vm-1/PowerOnVM_Task", "{}", status, body));
  };
  CHECK(
      fault(
          500,
          R"({"_typeName":"InvalidPowerState","faultstring":"x","requestedState":"poweredOn","existingState":"poweredOn"})") ==
      "");
  CHECK(fault(500, R"({"_typeName":"SystemError","faultstring":"x","reason":"y"})") == "");
  CHECK(fault(500, R"({"_typeName":"InvalidLogin","faultstring":"x"})") == "vim-fault");
  CHECK(fault(500, R"({"_typeName":"TaskInfo","faultstring":"x"})") == "vim-fault");
  CHECK(fault(500, R"({"faultstring":"x"})") == "vim-fault");
  CHECK(fault(500, R"({"_typeName":"SystemError","reason":"y"})") == "vim-fault");
  CHECK(fault(500, R"({"_typeName":"SystemError","faultstring":"x"})") == "required");
  CHECK(fault(500, R"({"_typeName":"SystemError","faultstring":"x","reason":"y","more":1})") ==
        "unknown-field");
  CHECK(fault(400, R"({"_typeName":"SystemError","faultstring":"x","reason":"y"})") == "status");
  CHECK(fault(500, "") == "body");
  CHECK(rules(vim("GET", "VirtualMachine/vm-1/name", "", 500,
                  R"({"_typeName":"InvalidLogin","faultstring":"x"})")) == "vim-fault");
}

TEST_CASE("an exception covers what it names and nothing else") {
  Exchange teapot =
      api("GET", "/api/vcenter/vm", "", 418, R"({"error_type":"UNAUTHENTICATED","messages":[]})");
  auto with = [](const char* list) {
    auto exceptions = Exceptions::parse(Json::parse(list));
    REQUIRE(exceptions.ok());
    auto made = ExchangeCheck::make(read_json("official-facts.json"), std::move(*exceptions));
    REQUIRE(made.ok());
    return std::move(*made);
  };
  CHECK(rules(teapot, with("[]")) == "status error-status");
  CHECK(rules(teapot, with(R"([{"rule":"status","status":418,"evidence":"e"}])")) == "error-status");
  CHECK(rules(teapot, with(R"([{"rule":"status","status":419,"evidence":"e"}])")) == "status error-status");
  CHECK(rules(teapot, with(R"([{"rule":"status","operation":"POST *","evidence":"e"}])")) ==
        "status error-status");
  CHECK(rules(teapot, with(R"([{"rule":"error-status","value":"UNAUTH*","evidence":"e"}])")) == "status");
}

TEST_CASE("an exception without evidence or with an unknown member is refused") {
  CHECK_FALSE(Exceptions::parse(Json::parse(R"([{"rule":"status"}])")).ok());
  CHECK_FALSE(Exceptions::parse(Json::parse(R"([{"evidence":"e"}])")).ok());
  CHECK_FALSE(Exceptions::parse(Json::parse(R"([{"rule":"status","evidence":"e","op":"x"}])")).ok());
  CHECK_FALSE(Exceptions::parse(Json::parse(R"([{"rule":"status","evidence":"e","status":"404"}])")).ok());
  CHECK_FALSE(Exceptions::parse(Json::parse("{}")).ok());
}

TEST_CASE("an injected reply is not held against the facts, its request is") {
  Exchange order = api("GET", "/api/vcenter/vm", "", 418, "<html>");
  order.injected = true;
  CHECK(rules(order) == "");
  order.path = "/api/vcenter/vms";
  CHECK(rules(order) == "path");
  Exchange method = vim("POST", "VirtualMachine/vm-1/PowerOnVM_Task", R"({"hosts":1})", 503, "busy");
  method.injected = true;
  CHECK(rules(method) == "unknown-field");
  Exchange property = vim("GET", "VirtualMachine/vm-1/name", "", 503, "busy");
  property.injected = true;
  CHECK(rules(property) == "");
}

TEST_CASE("what belongs to no API needs an exception") {
  CHECK(rules(exchange("other", "GET", "/ui/login", "", 200, "x")) == "path");
}

TEST_CASE("a record line is read strictly") {
  auto good = parse_exchange(
      R"({"method":"GET","path":"/api/session","dialect":"api","request_body":null,"status":200,"reply_body":{"a":1},"injected":true})");
  REQUIRE(good.ok());
  CHECK(good->path == "/api/session");
  CHECK(good->request_body.is_null());
  CHECK(good->reply_body == Json{{"a", 1}});
  CHECK(good->injected);
  CHECK_FALSE(parse_exchange("").ok());
  CHECK_FALSE(parse_exchange("[]").ok());
  CHECK_FALSE(
      parse_exchange(
          R"({"method":"GET","path":"/x","dialect":"soap","request_body":null,"status":200,"reply_body":null})")
          .ok());
  CHECK_FALSE(
      parse_exchange(R"({"method":"GET","path":"/x","dialect":"api","request_body":null,"reply_body":null})")
          .ok());
  CHECK_FALSE(
      parse_exchange(R"({"method":"GET","path":"/x","dialect":"api","status":200,"reply_body":null})").ok());
  CHECK_FALSE(
      parse_exchange(
          R"({"method":7,"path":"/x","dialect":"api","request_body":null,"status":200,"reply_body":null})")
          .ok());
}
