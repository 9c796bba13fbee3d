// The client against the embedded vCenter: a whole walk in each of the two dialects, with a shared session
// and without.
#include "simulator/simulator.h"

#include <thread>

#include "base/json.h"
#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

struct Embedded {
  explicit Embedded(bool share_session = true) : simulator(settings(share_session), log) {
    REQUIRE(simulator.start().ok());
  }
  ~Embedded() { simulator.stop(); }

  static simulator::Settings settings(bool share_session) {
    simulator::Settings out;
    out.vms = 12;
    out.task_time = milliseconds{50};
    out.share_session = share_session;
    return out;
  }
  vcenter::Settings client_settings(vcenter::ApiMode mode) const {
    vcenter::Settings out;
    out.hosts = {"127.0.0.1:" + std::to_string(simulator.port())};
    out.user = "demo@vsphere.local";
    out.password = Secret("demo");
    out.plain_http = true;
    out.mode = mode;
    out.backoff_s = 0.01;
    return out;
  }

  SilentLog log;  // first: outlives the simulator
  simulator::Simulator simulator;
};

Json parsed(const vcenter::Reply& reply) {
  REQUIRE_MESSAGE(reply.ok(), (reply.error ? reply.error->text : ""));
  const auto json = parse_trusted_json(reply.body);
  REQUIRE(json.ok());
  return *json;
}

// The task's info once it is over.
Json finished_task(Client& client, const std::string& task) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  for (;;) {
    const Json info = parsed(client.property("Task", task, "info"));
    const std::string state = info.value("state", "");
    if ((state != "queued" && state != "running") || std::chrono::steady_clock::now() > deadline) return info;
    std::this_thread::yield();
  }
}

void walk(Client& client) {
  const Json vms = parsed(client.get("/api/vcenter/vm"));
  REQUIRE(vms.is_array());
  REQUIRE(vms.size() == 12);
  const std::string vm = vms[0]["vm"], name = vms[0]["name"];
  CHECK(parsed(client.get("/api/vcenter/vm?names=" + name)).size() == 1);

  const Json details = parsed(client.get("/api/vcenter/vm/" + vm));
  CHECK(details["name"] == name);
  CHECK(details["disks"].is_object());
  CHECK(details["nics"].is_object());

  const auto about = client.connection->about(within(20s));
  REQUIRE(about.ok());
  CHECK(about->vim_release == "8.0.2.0");
  CHECK_FALSE(about->root_folder.empty());
  CHECK_FALSE(about->session_manager.empty());

  CHECK(parsed(client.property("VirtualMachine", vm, "name")) == Json(name));
  const Json state = parsed(client.property("VirtualMachine", vm, "runtime.powerState"));
  CHECK((state == "poweredOn" || state == "poweredOff" || state == "suspended"));

  const Json task =
      parsed(client.method("VirtualMachine", vm, "CreateSnapshot_Task",
                           R"({"name":"before the walk","description":"d","memory":false,"quiesce":false})"));
  const Json info = finished_task(client, task["value"]);
  CHECK(info["state"] == "success");
  const Json tree = parsed(client.property("VirtualMachine", vm, "snapshot"));
  CHECK(contains(dump_json(tree), "before the walk"));
}

}  // namespace

TEST_CASE("the embedded vCenter is walked in the /api dialect") {
  for (const bool share : {true, false}) {
    CAPTURE(share);
    Embedded embedded(share);
    Client client(embedded.client_settings(vcenter::ApiMode::api));
    walk(client);
    client.fleet->close();
  }
}

TEST_CASE("the embedded vCenter is walked in the /rest dialect") {
  Embedded embedded;
  Client client(embedded.client_settings(vcenter::ApiMode::rest));
  walk(client);
  client.fleet->close();
}

TEST_CASE("the embedded vCenter's refusals arrive as the host's errors") {
  Embedded embedded;
  for (const auto mode : {vcenter::ApiMode::api, vcenter::ApiMode::rest}) {
    CAPTURE(static_cast<int>(mode));
    Client client(embedded.client_settings(mode));
    const auto missing = client.get("/api/vcenter/vm/vm-999999");
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error->code == Code::not_found);
    CHECK(contains(missing.body, "NOT_FOUND"));
    const auto gone = client.property("VirtualMachine", "vm-999999", "name");
    REQUIRE_FALSE(gone.ok());
    CHECK(gone.error->code == Code::not_found);
    const Json on = parsed(client.get("/api/vcenter/vm?power_states=POWERED_ON"));
    REQUIRE(on.size() > 0);
    const std::string vm = on[0]["vm"];
    CHECK(client.send("POST", "/api/vcenter/vm/" + vm + "/power?action=start").error->code == Code::conflict);
    CHECK(client.send("DELETE", "/api/vcenter/vm/" + vm).error->code == Code::conflict);
  }
  auto settings = embedded.client_settings(vcenter::ApiMode::api);
  settings.password = Secret("not-demo");
  Client stranger(settings);
  CHECK(contains(stranger.get("/api/vcenter/vm").error->text, "login failed: HTTP 401"));
}
