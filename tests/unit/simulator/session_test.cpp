#include "simulated.h"

namespace vmcp::simulator {
namespace {

Account account(std::string user, std::vector<std::string> privileges, std::vector<std::string> scope = {}) {
  return {std::move(user), Secret("pw"), std::move(privileges), std::move(scope), false};
}

Exchanged vim_login(Simulated& sim, const std::string& user, const std::string& password) {
  return sim.vim("SessionManager/SessionManager/Login", {{"userName", user}, {"password", password}});
}

std::string header(const Exchanged& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE("a session dies of idleness, and activity keeps it alive") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  sim.advance(29 * 60'000);
  CHECK(sim.get("/api/session").status == 200);
  sim.advance(29 * 60'000);
  CHECK(sim.get("/api/vcenter/datacenter").status == 200);
  sim.advance(30 * 60'000 + 1);
  CHECK(sim.get("/api/vcenter/datacenter").status == 401);
}

TEST_CASE("the admin path ends every session at once") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  CHECK(sim.post("/simulator/sessions/expire").body["expired"] == 1);
  CHECK(sim.get("/api/vcenter/vm").status == 401);
  const Exchanged vim = sim.vim_get("VirtualMachine/vm-1/name");
  CHECK(vim.status == 500);
  CHECK(vim.body["_typeName"] == "NotAuthenticated");
}

TEST_CASE("sessions serve both APIs only where they are shared") {
  Settings apart = instant();
  apart.share_session = false;
  Simulated sim(apart);
  REQUIRE(sim.login() == 201);
  const std::string automation = sim.session();
  CHECK(sim.vim_get("Folder/group-d1/name").body["_typeName"] == "NotAuthenticated");
  const Exchanged login = vim_login(sim, "VSPHERE.LOCAL\\demo", "demo");
  REQUIRE(login.status == 200);
  sim.use_session(header(login, "vmware-api-session-id"));
  CHECK(sim.vim_get("Folder/group-d1/name").body == "Datacenters");
  CHECK(sim.get("/api/vcenter/vm").status == 401);

  Simulated shared;
  REQUIRE(shared.login() == 201);
  CHECK(shared.vim_get("Folder/group-d1/name").body == "Datacenters");
}

TEST_CASE("VI/JSON login and logout") {
  Simulated sim;
  const Exchanged wrong = vim_login(sim, "demo@vsphere.local", "nope");
  CHECK(wrong.status == 500);
  CHECK(wrong.body["_typeName"] == "InvalidLogin");
  CHECK(wrong.body.contains("faultstring"));
  CHECK(sim.vim_get("SessionManager/SessionManager/currentSession").status == 204);
  const Exchanged login = vim_login(sim, "demo@vsphere.local", "demo");
  CHECK(login.body["userName"] == "VSPHERE.LOCAL\\demo");
  const std::string secret = header(login, "vmware-api-session-id");
  CHECK(login.text.find(secret) == std::string::npos);  // the id travels in the header alone
  sim.use_session(secret);
  CHECK(sim.vim_get("SessionManager/SessionManager/currentSession").body["key"] == login.body["key"]);
  CHECK(sim.vim("SessionManager/SessionManager/Logout").status == 204);
  CHECK(sim.vim_get("SessionManager/SessionManager/currentSession").status == 204);
}

TEST_CASE("the service content and the clock's version need no session") {
  Simulated sim;
  const Exchanged content = sim.vim_get("ServiceInstance/ServiceInstance/content");
  CHECK(content.status == 200);
  CHECK(content.body["about"]["apiVersion"] == "8.0.2.0");
  CHECK(content.body["rootFolder"]["value"] == "group-d1");
  CHECK(sim.get("/sdk/vimServiceVersions.xml").text.find("<version>8.0.2.0</version>") != std::string::npos);
}

TEST_CASE("VI/JSON is served from 8.0 U1 on, and only up to its own release") {
  CHECK(Simulated().get("/sdk/vim25/8.0.1.0/ServiceInstance/ServiceInstance/content").status == 200);
  CHECK(Simulated().get("/sdk/vim25/8.0.3.0/ServiceInstance/ServiceInstance/content").status == 404);
  Settings old = instant();
  old.release = "8.0.0.2";
  Simulated sim(old);
  CHECK(sim.get("/sdk/vim25/8.0.0.2/ServiceInstance/ServiceInstance/content").status == 404);
  CHECK(sim.post("/api/vcenter/system?action=hello", {{"api_releases", {"8.0.0.2"}}}).status == 404);
}

TEST_CASE("who may only view sees names, and is told what is missing for the rest") {
  Settings settings = instant();
  settings.accounts = {account("viewer@vsphere.local", {"System.View"})};
  Simulated sim(settings);
  REQUIRE(sim.login("viewer@vsphere.local", "pw") == 201);
  const Exchanged page = sim.vim("PropertyCollector/propertyCollector/RetrievePropertiesEx",
                                 all_of(sim, "VirtualMachine", Json::array({"name", "summary.quickStats"})));
  REQUIRE(page.status == 200);
  const Json& object = page.body["objects"][0];
  CHECK(object["propSet"].size() == 1);
  CHECK(object["propSet"][0]["name"] == "name");
  REQUIRE(object["missingSet"].size() == 1);
  CHECK(object["missingSet"][0]["path"] == "summary.quickStats");
  CHECK(object["missingSet"][0]["fault"]["fault"]["_typeName"] == "NoPermission");
  CHECK(object["missingSet"][0]["fault"]["fault"]["privilegeId"] == "System.Read");
  const Exchanged list = sim.get("/api/vcenter/vm");
  CHECK(list.status == 403);
  CHECK(list.body["error_type"] == "UNAUTHORIZED");
  CHECK(list.text.find("System.Read") != std::string::npos);
}

TEST_CASE("a missing privilege is named by both APIs, and nothing happens") {
  Settings settings = instant();
  settings.accounts = {account("reader@vsphere.local", {"System.*"})};
  Simulated sim(settings);
  REQUIRE(sim.login("reader@vsphere.local", "pw") == 201);
  const std::string vm = sim.powered("POWERED_ON");
  const Exchanged api = sim.post("/api/vcenter/vm/" + vm + "/power?action=stop");
  CHECK(api.status == 403);
  CHECK(api.text.find("VirtualMachine.Interact.PowerOff") != std::string::npos);
  const Exchanged vim = sim.vim("VirtualMachine/" + vm + "/RemoveAllSnapshots_Task");
  CHECK(vim.status == 500);
  CHECK(vim.body["_typeName"] == "NoPermission");
  CHECK(vim.body["privilegeId"] == "VirtualMachine.State.RemoveSnapshot");
  const Json spec = {{"spec", {{"_typeName", "VirtualMachineConfigSpec"}, {"memoryMB", 4096}}}};
  CHECK(sim.vim("VirtualMachine/" + vm + "/ReconfigVM_Task", spec).body["privilegeId"] ==
        "VirtualMachine.Config.Memory");
  CHECK(sim.vm(vm)["power"] == "POWERED_ON");
  CHECK(sim.get("/api/appliance/system/version").status == 403);
}

TEST_CASE("outside its scope an account finds nothing") {
  Settings settings = instant();
  settings.accounts = {account("north@vsphere.local", {"*"}, {"north"})};
  Simulated sim(settings);
  REQUIRE(sim.login("north@vsphere.local", "pw") == 201);
  CHECK(sim.get("/api/vcenter/datacenter").body.size() == 1);
  const Json south =
      sim.find_vm([](const Json& v) { return v["path"].get<std::string>().rfind("/south/", 0) == 0; });
  const std::string id = south["id"];
  CHECK(sim.get("/api/vcenter/vm/" + id).status == 404);
  CHECK(sim.vim_get("VirtualMachine/" + id + "/name").body["_typeName"] == "ManagedObjectNotFound");
  const auto seen = retrieve(sim, "VirtualMachine", Json::array({"name"}));
  CHECK(seen.count(id) == 0);
  CHECK_FALSE(seen.empty());
}

TEST_CASE("an account can ask what it may do") {
  Settings settings = instant();
  settings.accounts = {account("ops@vsphere.local", {"System.*", "VirtualMachine.Interact.*"})};
  Simulated sim(settings);
  REQUIRE(sim.login("ops@vsphere.local", "pw") == 201);
  const Json me = sim.vim_get("SessionManager/SessionManager/currentSession").body;
  const Json root = {{"_typeName", "ManagedObjectReference"}, {"type", "Folder"}, {"value", "group-d1"}};
  const Json asked = {"VirtualMachine.Interact.PowerOn", "VirtualMachine.Inventory.Delete"};
  const Json answer = sim.vim("AuthorizationManager/AuthorizationManager/HasPrivilegeOnEntities",
                              {{"entity", {root}}, {"sessionId", me["key"]}, {"privId", asked}})
                          .body;
  CHECK(answer[0]["privAvailability"][0]["isGranted"] == true);
  CHECK(answer[0]["privAvailability"][1]["isGranted"] == false);
  const Json list = sim.vim("AuthorizationManager/AuthorizationManager/FetchUserPrivilegeOnEntities",
                            {{"entities", {root}}, {"userName", me["userName"]}})
                        .body[0]["privileges"];
  CHECK(std::find(list.begin(), list.end(), "VirtualMachine.Interact.PowerOn") != list.end());
  CHECK(std::find(list.begin(), list.end(), "VirtualMachine.Inventory.Delete") == list.end());
  const Exchanged other = sim.vim("AuthorizationManager/AuthorizationManager/FetchUserPrivilegeOnEntities",
                                  {{"entities", {root}}, {"userName", "demo@vsphere.local"}});
  CHECK(other.body["_typeName"] == "NoPermission");
}

TEST_CASE("the 2001st session is refused, as vpxd does it") {
  Simulated sim;
  for (int i = 0; i < 2000; ++i) REQUIRE(sim.login() == 201);
  CHECK(sim.login() == 503);
  sim.advance(31 * 60'000);
  CHECK(sim.login() == 201);
}

}  // namespace vmcp::simulator
