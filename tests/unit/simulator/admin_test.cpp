#include "simulated.h"

namespace vmcp::simulator {
namespace {

Request admin(const std::string& authorization) {
  Request request;
  request.method = "GET";
  request.path = "/simulator/state";
  if (!authorization.empty()) request.headers = {{"Authorization", authorization}};
  return request;
}

}  // namespace

TEST_CASE("the admin path needs its token when there is one") {
  Settings settings = instant();
  settings.admin_token = "let me in";
  Simulated sim(settings);
  CHECK(sim.raw(admin("")).status == 401);
  CHECK(sim.raw(admin("Bearer wrong")).status == 401);
  CHECK(sim.raw(admin("let me in")).status == 401);
  CHECK(sim.raw(admin("Bearer let me in")).status == 200);
}

TEST_CASE("a VM is found by id or by name, an ambiguous name lists the ids") {
  Simulated sim;
  const Json all = sim.state();
  std::map<std::string, std::vector<std::string>> by_name;
  for (const Json& vm : all["vms"]) by_name[vm["name"]].push_back(vm["id"]);
  for (const auto& [name, ids] : by_name) {
    const Exchanged found = sim.get("/simulator/state/vm/" + name);
    if (ids.size() > 1) {
      CHECK(found.status == 409);
      CHECK(found.body["ids"].size() == ids.size());
    } else if (name.rfind("vm-", 0) != 0) {
      CHECK(found.body["id"] == ids[0]);
    }
  }
  CHECK(sim.get("/simulator/state/vm/nobody").status == 404);
}

TEST_CASE("a VM is renamed and moved behind the back of whoever is logged in") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json all = sim.state();
  const Json before = all["vms"][0], elsewhere = all["vms"][1];
  REQUIRE(before["folder"] != elsewhere["folder"]);
  const std::string path = "/simulator/state/vm/" + before["id"].get<std::string>();
  REQUIRE(sim.post("/simulator/requests/reset").status == 200);
  REQUIRE(sim.post(path, {{"name", "other"}}).status == 200);
  REQUIRE(sim.post(path, {{"folder", elsewhere["folder"]}}).status == 200);
  const Json after = sim.get(path).body;
  const std::string beside = elsewhere["path"];
  CHECK(after["path"] == beside.substr(0, beside.rfind('/')) + "/other");
  CHECK(sim.get("/api/vcenter/vm/" + before["id"].get<std::string>()).body["name"] == "other");
  CHECK(sim.get("/simulator/requests").body["changing"] == 0);
  for (const Json& bad : {Json{{"name", ""}}, Json{{"name", 1}}, Json{{"folder", "group-v0"}},
                          Json{{"folder", before["host"]}}, Json{{"folder", 1}}})
    CHECK(sim.post(path, bad).status == 400);
  CHECK(sim.post("/simulator/state/vm/vm-0", {{"name", "x"}}).status == 404);
}

TEST_CASE("received requests are counted, changing ones apart, by operation and user") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  REQUIRE(sim.post("/simulator/requests/reset").status == 200);
  sim.get("/api/vcenter/vm/" + vm);
  sim.get("/api/vcenter/vm/" + vm);
  sim.vim("ServiceInstance/ServiceInstance/CurrentTime");
  retrieve(sim, "HostSystem", {"name"});
  Json report = sim.get("/simulator/requests").body;
  CHECK(report["total"] == 5);
  CHECK(report["changing"] == 0);
  sim.post("/api/vcenter/vm/" + vm + "/power?action=stop");
  sim.vim("VirtualMachine/" + vm + "/RemoveAllSnapshots_Task");
  sim.send("PATCH", "/api/vcenter/vm/" + vm + "/hardware/cpu", {{"count", 2}});
  sim.send("DELETE", "/api/nowhere");
  report = sim.get("/simulator/requests").body;
  CHECK(report["changing"] == 4);
  CHECK(report["by_operation"]["GET /api/vcenter/vm/{vm}"] == 2);
  CHECK(report["by_operation"]["VirtualMachine.RemoveAllSnapshots_Task"] == 1);
  CHECK(report["by_operation"]["unknown"] == 1);
  CHECK(report["last"][0]["user"] == "demo@vsphere.local");
  CHECK(report["last"][0]["status"] == 200);
  for (int i = 0; i < 1200; ++i) sim.get("/api/session");
  report = sim.get("/simulator/requests").body;
  CHECK(report["last"].size() == 1000);
  CHECK(report["total"] == 1209);
}

TEST_CASE("the clock goes forward only") {
  Simulated sim;
  const std::string before = sim.state()["time"];
  sim.advance(60'000);
  CHECK(sim.state()["time"].get<std::string>() > before);
  for (const Json& bad : {Json::object(), Json{{"advance_ms", -1}}, Json{{"advance_ms", "1"}}}) {
    CHECK(sim.post("/simulator/clock", bad).status == 400);
  }
  CHECK(sim.get("/simulator/nothing").status == 404);
  CHECK(sim.post("/simulator/nothing").status == 404);
  CHECK(sim.send("PUT", "/simulator/state").status == 405);
}

TEST_CASE("sessions are listed without their ids") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Exchanged list = sim.get("/simulator/sessions");
  CHECK(list.body.size() == 1);
  CHECK(list.body[0]["user"] == "demo@vsphere.local");
  CHECK(list.text.find(sim.session()) == std::string::npos);
}

}  // namespace vmcp::simulator
