#include "simulated.h"
#include "simulator/faults.h"

namespace vmcp::simulator {

TEST_CASE("an ordered status hits the next matching requests, in the dialect's own error") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  REQUIRE(sim.post("/simulator/fault",
                   {{"method", "GET"}, {"path", "*/vcenter/host*"}, {"count", 2}, {"status", 503}})
              .status == 200);
  CHECK(sim.get("/api/vcenter/vm").status == 200);
  const Exchanged api = sim.get("/api/vcenter/host");
  CHECK(api.status == 503);
  CHECK(api.body["error_type"] == "SERVICE_UNAVAILABLE");
  const Exchanged rest = sim.get("/rest/vcenter/host?filter.names=x");
  CHECK(rest.status == 503);
  CHECK(rest.body["type"] == "com.vmware.vapi.std.errors.service_unavailable");
  CHECK(sim.get("/api/vcenter/host").status == 200);
}

TEST_CASE("a rule can carry its own body and headers, and match the query") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  REQUIRE(sim.post("/simulator/fault", {{"path", "/api/vcenter/vm*names=x"},
                                        {"status", 429},
                                        {"body", {{"slow", "down"}}},
                                        {"headers", {{"Retry-After", "2"}}}})
              .status == 200);
  CHECK(sim.get("/api/vcenter/vm").status == 200);
  const Exchanged answer = sim.get("/api/vcenter/vm?names=x");
  CHECK(answer.status == 429);
  CHECK(answer.body["slow"] == "down");
  bool retry = false;
  for (const auto& [name, value] : answer.headers) retry |= name == "Retry-After" && value == "2";
  CHECK(retry);
}

TEST_CASE("a status without a fitting error type has no invented body") {
  Simulated sim;
  for (const int status : {429, 502}) {
    REQUIRE(sim.post("/simulator/fault", {{"status", status}}).status == 200);
    const Exchanged answer = sim.get("/api/vcenter/vm");
    CHECK(answer.status == status);
    CHECK(answer.text.empty());
  }
  for (const int status : {400, 401, 403, 404, 500, 503}) {
    REQUIRE(sim.post("/simulator/fault", {{"status", status}, {"count", 2}}).status == 200);
    const Exchanged answer = sim.get("/api/vcenter/vm");
    CHECK(answer.status == status);
    CHECK(answer.body.contains("error_type"));
    CHECK(sim.get("/rest/vcenter/vm").status == status);
  }
}

TEST_CASE("a cut before leaves the state alone, a cut after does not") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  const std::string stop = "/api/vcenter/vm/" + vm + "/power?action=stop";
  REQUIRE(sim.post("/simulator/fault", {{"method", "POST"}, {"cut", "before"}}).status == 200);
  CHECK(sim.post(stop).cut);
  CHECK(sim.vm(vm)["power"] == "POWERED_ON");
  REQUIRE(sim.post("/simulator/fault", {{"method", "POST"}, {"cut", "after"}}).status == 200);
  CHECK(sim.post(stop).cut);
  CHECK(sim.vm(vm)["power"] == "POWERED_OFF");
  CHECK_FALSE(sim.get("/api/vcenter/vm").cut);
}

TEST_CASE("a delay ends when the simulator stops") {
  Simulated sim;
  REQUIRE(sim.post("/simulator/fault", {{"delay_ms", 600'000}}).status == 200);
  sim.vcenter().stop();
  CHECK(sim.get("/api/vcenter/vm").status == 401);
}

TEST_CASE("rules are dropped together, and bad ones are refused with their form") {
  Simulated sim;
  REQUIRE(sim.post("/simulator/fault", {{"status", 503}, {"count", 100}}).status == 200);
  REQUIRE(sim.send("DELETE", "/simulator/fault").status == 200);
  CHECK(sim.get("/api/vcenter/vm").status == 401);
  for (const Json& bad : {Json(7), Json::object(), Json{{"status", 99}}, Json{{"status", "503"}},
                          Json{{"status", 503}, {"count", 0}}, Json{{"delay_ms", -1}}, Json{{"cut", "maybe"}},
                          Json{{"status", 503}, {"colour", 1}}, Json{{"task", 5}}}) {
    const Exchanged answer = sim.post("/simulator/fault", bad);
    CHECK(answer.status == 400);
    CHECK(answer.body["error"].get<std::string>().find("fault rule") == 0);
  }
}

TEST_CASE("rules given at the start are in force, a bad one stops the start") {
  Settings settings = instant();
  settings.faults = {R"({"path":"/api/session","status":503})"};
  Simulated sim(settings);
  CHECK(sim.login() == 503);
  CHECK(sim.login() == 201);
  StillClock clock;
  settings.faults = {"{"};
  VCenter broken(settings, clock);
  CHECK_FALSE(broken.prepare().ok());
}

}  // namespace vmcp::simulator
