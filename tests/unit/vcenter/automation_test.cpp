#include <thread>

#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {}

TEST_CASE("a request carries the session, its body and the JSON headers, and nothing of the credentials") {
  FakeVcenter fake;
  fake.on("PATCH", "/api/vcenter/vm/vm-1/hardware/cpu", {{204, ""}});
  Client client(fake);
  const auto reply = client.send("PATCH", "/api/vcenter/vm/vm-1/hardware/cpu", R"({"count":4})");
  REQUIRE(reply.ok());
  CHECK(reply.http_status == 204);
  CHECK(reply.body.empty());
  const auto seen = fake.received();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].target == "/api/session");
  CHECK(seen[0].body.empty());
  CHECK(seen[1].body == R"({"count":4})");
  CHECK(seen[1].session() == "token-1");
  CHECK(seen[1].headers.at("content-type") == "application/json");
  CHECK(seen[1].headers.at("accept") == "application/json");
  CHECK(seen[1].headers.count("authorization") == 0);
}

TEST_CASE("an answer of any size up to the limit arrives whole") {
  FakeVcenter fake;
  const std::string large = "\"" + std::string(3'000'000, 'x') + "\"";
  fake.on("GET", kVm, {{200, large}});
  Client client(fake);
  const auto reply = client.get(kVm);
  REQUIRE(reply.ok());
  CHECK(reply.body == large);
}

TEST_CASE("vCenter's own error reaches the caller in words and as the /api body") {
  FakeVcenter fake;
  const std::string body =
      R"({"error_type":"NOT_FOUND","messages":[{"id":"com.vmware.api.vcenter.vm.not_found","default_message":"Virtual machine with identifier 'vm-9' does not exist.","args":[]}]})";
  fake.on("GET", "/api/vcenter/vm/vm-9", {{404, body}});
  Client client(fake);
  const auto reply = client.get("/api/vcenter/vm/vm-9");
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.http_status == 404);
  CHECK(reply.error->code == Code::not_found);
  CHECK(contains(reply.error->text, "'vm-9' does not exist"));
  CHECK(reply.body == body);
  CHECK_FALSE(reply.maybe_happened);
}

TEST_CASE("requests outside the Automation API never leave") {
  FakeVcenter fake;
  Client client(fake);
  for (const char* path : {"/rest/vcenter/vm", "api/vcenter/vm", "/api/vcenter/../session",
                           "/api/vcenter/%2E%2e/session", "/api/vcenter//vm", "/api/vcenter/vm\r\nX-Evil: 1",
                           "/api/vcenter/vm name", "/api/vm#x", "/sdk", "/api/vcenter/vm\\x", ""}) {
    CAPTURE(path);
    const auto reply = client.get(path);
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::invalid_argument);
  }
  CHECK(client.send("TRACE", "/api/vcenter/vm").error->code == Code::invalid_argument);
  CHECK(client.send("get", "/api/vcenter/vm").error->code == Code::invalid_argument);
  CHECK(client.send("DELETE", "/api/session").error->code == Code::denied);
  CHECK(client.send("POST", "/api/session?x=1").error->code == Code::denied);
  CHECK(fake.received().empty());
}

TEST_CASE("a page that is not vCenter's is not handed on as an answer") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "<html>portal</html>", {}, false, false, "text/html"}});
  fake.on("DELETE", kVm, {{200, "<html>portal</html>", {}, false, false, "text/html"}});
  fake.on("GET", "/api/vcenter/host", {{302, "", {{"Location", "https://elsewhere.example/"}}}});
  Client client(fake);
  const auto read = client.get(kVm);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error->code == Code::unavailable);
  CHECK(contains(read.error->text, "cannot be read"));
  const auto change = client.send("DELETE", kVm);
  REQUIRE_FALSE(change.ok());
  CHECK(change.maybe_happened);
  const auto redirected = client.get("/api/vcenter/host");
  REQUIRE_FALSE(redirected.ok());
  CHECK(contains(redirected.error->text, "redirect"));
  CHECK(fake.count("GET", "/api/vcenter/host") == 1);
}

TEST_CASE("in rest mode the same calls travel as /rest and come back as /api") {
  FakeVcenter fake([] {
    FakeVcenter::Options options;
    options.rest = true;
    return options;
  }());
  fake.on("GET", "/rest/vcenter/vm?filter.names=a", {{200, R"({"value":[{"vm":"vm-1","name":"a"}]})"}});
  fake.on("GET", "/rest/vcenter/vm/vm-1",
          {{200, R"({"value":{"name":"a","disks":[{"key":"2000","value":{}}]}})"}});
  fake.on(
      "POST", "/rest/vcenter/vm/vm-1/power/start",
      {{400,
        R"({"type":"com.vmware.vapi.std.errors.already_in_desired_state","value":{"error_type":"ALREADY_IN_DESIRED_STATE","messages":[{"default_message":"It is on.","id":"i","args":[]}]}})"}});
  auto settings = settings_for(fake);
  settings.mode = vcenter::ApiMode::rest;
  Client client(settings);
  CHECK(client.get("/api/vcenter/vm?names=a").body == R"([{"name":"a","vm":"vm-1"}])");
  CHECK(client.get(kVm).body == R"({"disks":{"2000":{}},"name":"a"})");
  const auto start = client.send("POST", "/api/vcenter/vm/vm-1/power?action=start");
  REQUIRE_FALSE(start.ok());
  CHECK(start.error->code == Code::conflict);
  CHECK(contains(start.error->text, "It is on."));
  CHECK(contains(start.body, R"("error_type":"ALREADY_IN_DESIRED_STATE")"));
  CHECK(client.get("/api/vcenter/vm/vm-1/guest/operations").error->code == Code::unavailable);
  CHECK(fake.logins() == 1);
  const auto seen = fake.received();
  CHECK(seen[0].target == "/rest/com/vmware/cis/session");
  CHECK(seen[0].headers.at("vmware-use-header-authn") == "true");
  client.connection->close();
  CHECK(fake.logouts() == 1);
}

TEST_CASE("connections are kept and shared, never more than allowed") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  auto settings = settings_for(fake);
  settings.max_connections = 3;
  Client client(settings);
  for (int i = 0; i < 10; ++i) CHECK(client.get(kVm).ok());
  CHECK(fake.connections() == 1);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10; ++k) good += client.get(kVm).ok();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 120);
  CHECK(fake.connections() <= 3);
}

TEST_CASE("both protocols name the privileges of the request that was refused") {
  const Answer denied{
      403,
      R"({"error_type":"UNAUTHORIZED","messages":[{"id":"i","default_message":"No permission.","args":[]}]})"};
  const Answer fault{500, R"({"_typeName":"NoPermission","faultstring":"Denied."})"};
  FakeVcenter fake;
  fake.on("DELETE", kVm, {denied});
  fake.on("POST", std::string(kVm) + "/power?action=start", {denied});
  fake.on("POST", "/sdk/vim25/8.0.2.0/VirtualMachine/vm-1/CreateSnapshot_Task", {fault});
  fake.on("GET", "/sdk/vim25/8.0.2.0/VirtualMachine/vm-1/snapshot", {fault});
  Client client(fake);
  CHECK(contains(client.send("DELETE", kVm).error->text,
                 "the operation needs: VirtualMachine.Inventory.Delete"));
  CHECK(contains(client.send("POST", std::string(kVm) + "/power?action=start").error->text,
                 "the operation needs: VirtualMachine.Interact.PowerOn"));
  CHECK(contains(client.method("VirtualMachine", "vm-1", "CreateSnapshot_Task").error->text,
                 "the operation needs: VirtualMachine.State.CreateSnapshot"));
  CHECK(contains(client.property("VirtualMachine", "vm-1", "snapshot").error->text, "vCenter denied it"));
}
