// Graceful stop and start-up refusals of the real program.
#include <doctest/doctest.h>

#include <signal.h>

#include <thread>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

TEST_CASE("stop: SIGTERM cuts no call, flushes the journal and logs out of the vCenter") {
  ServerProcess server;
  const Json list =
      call_tool(server.port(), "demo-read", "list_vms", {{"power_states", {"POWERED_OFF"}}, {"limit", 1}})
          .json();
  const std::string vm = list["result"]["structuredContent"]["vms"][0].value("vm", "");
  REQUIRE_FALSE(vm.empty());
  Answer during;
  std::thread caller([&] {
    during =
        call_tool(server.port(), "demo-ops", "create_vm_snapshot", {{"vm_id", vm}, {"snapshot_name", "s"}});
  });
  REQUIRE(wait_until([&] { return server.audit_text().find("\"intent\"") != std::string::npos; }, 10'000));
  CHECK(server.stop() == 0);
  caller.join();
  CHECK_MESSAGE(during.status == 200, during.body);
  CHECK_FALSE(during.json()["result"].value("isError", false));
  CHECK(server.audit().back().value("event", "") == "outcome");
  CHECK(server.log().find("clean=yes") != std::string::npos);
}
