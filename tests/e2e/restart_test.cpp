// What a task has begun and asked outlives the process: killed or stopped, the next one goes on.
#include <doctest/doctest.h>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

ServerOptions simulator_with_slow_tasks(const char* task_ms) {
  ServerOptions options;
  options.arguments = {"simulate", "--listen", "127.0.0.1:0", "--task-ms", task_ms};
  options.record = false;
  return options;
}

// Servers over one state folder, in front of one vCenter that goes on without them.
ServerOptions server_over(const ServerProcess& simulator) {
  ServerOptions options;
  options.arguments = {"serve",       "--demo",      "--listen",
                       "127.0.0.1:0", "--simulator", "127.0.0.1:" + std::to_string(simulator.port())};
  options.environment = {{"RATE_LIMIT", "false"}, {"STATE_DIR", simulator.folder() + "/state"}};
  options.record = false;
  return options;
}

Json as_task_client(Json params) {
  params["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"]
        ["io.modelcontextprotocol/tasks"] = Json::object();
  return params;
}

Json get_task(const ServerProcess& server, const std::string& id) {
  return modern(server.port(), "demo-ops", "tasks/get", as_task_client({{"taskId", id}}))
      .json()
      .value("result", Json::object());
}

std::vector<std::string> events(const ServerProcess& server) {
  std::vector<std::string> out;
  for (const Json& line : server.audit())
    if (line.value("tool", "") == "create_vm_snapshot") out.push_back(line["event"]);
  return out;
}

std::string first_vm(const ServerProcess& server) {
  const Json answer = call_tool(server.port(), "demo-ops", "list_vms", {{"limit", 1}}).json();
  return answer["result"]["structuredContent"]["vms"][0]["vm"];
}

}  // namespace

TEST_CASE(
    "restart: a snapshot that a killed server had begun ends as its task, with the outcome in the audit") {
  for (const bool killed : {true, false}) {
    CAPTURE(killed);
    ServerProcess simulator(simulator_with_slow_tasks("3000"));
    std::string id;
    {
      ServerProcess server(server_over(simulator));
      const Json call =
          as_task_client({{"name", "create_vm_snapshot"},
                          {"arguments", {{"vm_id", first_vm(server)}, {"snapshot_name", "over"}}}});
      id = modern(server.port(), "demo-ops", "tools/call", call).json()["result"]["taskId"];
      REQUIRE(wait_until(
          [&] {
            return events(server) == std::vector<std::string>{"intent", "accepted"};
          },
          10'000));
      // The note that the next process reads.
      REQUIRE(wait_until([&] { return simulator.everything_written().find("parked") != std::string::npos; },
                         10'000));
      CHECK(get_task(server, id)["status"] == "working");
      if (killed)
        server.kill();
      else
        CHECK(server.stop() == 0);
    }
    ServerProcess next(server_over(simulator));
    CHECK(get_task(next, id)["status"] == "working");
    Json task;
    REQUIRE(wait_until([&] { return (task = get_task(next, id)).value("status", "") != "working"; }, 20'000));
    CHECK_MESSAGE(task["status"] == "completed", task.dump());
    CHECK(task["result"]["structuredContent"]["ok"] == true);
    CHECK(events(next) == std::vector<std::string>{"outcome"});
    for (const Json& line : next.audit())
      if (line.value("event", "") == "outcome" && line.value("tool", "") == "create_vm_snapshot") {
        CHECK(line["ok"] == true);
        CHECK(line["duration_ms"] >= 2'000);
        CHECK(line["identity"].get<std::string>() != "");
      }
  }
}
