#include <algorithm>

#include "simulated.h"

namespace vmcp::simulator {

TEST_CASE("a login gives a session that works until logout") {
  Simulated sim;
  CHECK(sim.get("/api/session").status == 401);
  REQUIRE(sim.login() == 201);
  const Exchanged info = sim.get("/api/session");
  CHECK(info.status == 200);
  CHECK(info.body["user"] == "demo@vsphere.local");
  CHECK(sim.send("DELETE", "/api/session").status == 204);
  CHECK(sim.get("/api/session").status == 401);
}

TEST_CASE("a wrong password is 401 with the documented message") {
  Simulated sim;
  CHECK(sim.login("demo@vsphere.local", "wrong") == 401);
  const Exchanged answer = sim.post("/api/session");
  CHECK(answer.body["error_type"] == "UNAUTHENTICATED");
  CHECK(answer.body["messages"][0]["id"] == "com.vmware.vapi.endpoint.method.authentication.required");
}

}  // namespace vmcp::simulator
