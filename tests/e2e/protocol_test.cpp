// More of the protocol than tools, through the real program: tasks, resources, completion, sessions.
#include <doctest/doctest.h>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

ServerOptions without_limits() {
  ServerOptions options;
  options.environment["RATE_LIMIT"] = "false";
  return options;
}

Json result_of(const Answer& answer) {
  const Json json = answer.json();
  CHECK_MESSAGE((answer.status == 200 && json.contains("result")), answer.body);
  return json.value("result", Json::object());
}

Json with_tasks(Json params) {
  params["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"]
        ["io.modelcontextprotocol/tasks"] = Json::object();
  return params;
}

std::vector<std::pair<std::string, std::string>> legacy_headers(const std::string& token,
                                                                const std::string& session = {}) {
  std::vector<std::pair<std::string, std::string>> out = {{"Content-Type", "application/json"},
                                                          {"Accept", "application/json, text/event-stream"},
                                                          {"Authorization", "Bearer " + token}};
  if (!session.empty()) out.emplace_back("Mcp-Session-Id", session);
  return out;
}

}  // namespace

TEST_CASE(
    "protocol: a snapshot is made as a task, which its owner alone can follow, and the audit follows it "
    "too") {
  ServerProcess server(without_limits());
  const Json vms =
      result_of(call_tool(server.port(), "demo-ops", "list_vms", {{"limit", 1}}))["structuredContent"];
  const std::string vm = vms["vms"][0]["vm"];
  const auto truth = [&] {
    return send(server.simulator_port(), "GET", "/simulator/state/vm/" + vm, {}, "").body;
  };
  CHECK(truth().find("as a task") == std::string::npos);
  const Json call = with_tasks(
      {{"name", "create_vm_snapshot"}, {"arguments", {{"vm_id", vm}, {"snapshot_name", "as a task"}}}});
  const Json created = result_of(modern(server.port(), "demo-ops", "tools/call", call));
  REQUIRE(created.value("resultType", "") == "task");
  const std::string id = created["taskId"];
  Json task;
  REQUIRE(wait_until(
      [&] {
        task = result_of(modern(server.port(), "demo-ops", "tasks/get", with_tasks({{"taskId", id}})));
        return task.value("status", "") != "working";
      },
      20'000));
  CHECK_MESSAGE(task["status"] == "completed", task.dump());
  CHECK(task["result"]["structuredContent"]["ok"] == true);
  CHECK(truth().find("as a task") != std::string::npos);
  const Answer foreign = modern(server.port(), "demo-admin", "tasks/get", with_tasks({{"taskId", id}}));
  CHECK(foreign.json()["error"]["code"] == -32602);
  std::vector<std::string> events;
  for (const Json& line : server.audit())
    if (line.value("tool", "") == "create_vm_snapshot") events.push_back(line["event"]);
  CHECK(events == std::vector<std::string>{"intent", "accepted", "outcome"});
}

TEST_CASE("protocol: resources are listed, completed, read, and not there when they are not there") {
  ServerProcess server(without_limits());
  const Json listed = result_of(modern(server.port(), "demo-read", "resources/list", Json::object()));
  REQUIRE(listed["resources"].size() >= 1);
  const std::string root = listed["resources"].back()["uri"];
  CHECK(root.starts_with("vsphere://127.0.0.1:"));
  for (const char* kind : {"datacenter", "cluster", "host", "vm", "datastore"}) {
    CAPTURE(kind);
    const std::string uri = "vsphere://{vcenter}/" + std::string(kind) + "/{" + kind + "}";
    const Json completion = result_of(modern(
        server.port(), "demo-read", "completion/complete",
        {{"ref", {{"type", "ref/resource"}, {"uri", uri}}}, {"argument", {{"name", kind}, {"value", ""}}}}));
    REQUIRE(completion["completion"]["values"].size() >= 1);
    const std::string name = completion["completion"]["values"][0];
    const Json read =
        result_of(modern(server.port(), "demo-read", "resources/read", {{"uri", root + kind + "/" + name}}));
    REQUIRE(read["contents"].size() == 1);
    CHECK(read["contents"][0]["mimeType"] == "application/json");
    const Json object = Json::parse(read["contents"][0]["text"].get<std::string>());
    CHECK(object["name"] == name);
    CHECK(object["kind"] == kind);
    CHECK_FALSE(object.contains("unavailable"));
    CHECK(read["ttlMs"] == 0);
  }
  for (const char* bad : {"vm/nobody", "vm/", "spaceship/x", "vm/a/b", "vm/%00", "vm/%zz", "../vm/x"}) {
    CAPTURE(bad);
    const Json error = modern(server.port(), "demo-read", "resources/read", {{"uri", root + bad}})
                           .json()
                           .value("error", Json::object());
    CHECK(error["code"] == -32602);
    CHECK(error["data"]["uri"] == root + bad);
  }
  // In the journal like any other read.
  bool recorded = false;
  for (const Json& line : server.audit())
    recorded = recorded || (line.value("method", "") == "resources/read" && line.value("ok", false));
  CHECK(recorded);
}

TEST_CASE("protocol: a session belongs to the identity that opened it, and is gone after DELETE") {
  ServerProcess server(without_limits());
  const auto post = [&](const Json& body, const std::string& token, const std::string& session = {}) {
    return send(server.port(), "POST", "/mcp", legacy_headers(token, session), dump_json(body));
  };
  const Json initialize{{"jsonrpc", "2.0"},
                        {"id", 1},
                        {"method", "initialize"},
                        {"params",
                         {{"protocolVersion", "2025-11-25"},
                          {"capabilities", Json::object()},
                          {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}};
  const Answer opened = post(initialize, "demo-read");
  REQUIRE(opened.headers.contains("mcp-session-id"));
  const std::string session = opened.headers.at("mcp-session-id");
  const Json ping{{"jsonrpc", "2.0"}, {"id", 2}, {"method", "ping"}};
  CHECK(post(ping, "demo-read", session).status == 200);
  CHECK(post(ping, "demo-admin", session).status == 404);
  CHECK(send(server.port(), "GET", "/mcp", legacy_headers("demo-admin", session), "").status == 404);
  CHECK(send(server.port(), "DELETE", "/mcp", legacy_headers("demo-admin", session), "").status == 404);
  CHECK(post(ping, "demo-read", session).status == 200);
  CHECK(send(server.port(), "DELETE", "/mcp", legacy_headers("demo-read", session), "").status == 204);
  CHECK(post(ping, "demo-read", session).status == 404);
}
