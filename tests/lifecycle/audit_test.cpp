// The journal of the real server: closed by SIGHUP, checked and read by the program's commands, and followed
// up after a kill.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "support/command_output.h"
#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

namespace fs = std::filesystem;

struct Simulator {
  ServerProcess process;
  explicit Simulator(const char* task_ms) : process(options(task_ms)) {}
  static ServerOptions options(const char* task_ms) {
    ServerOptions o;
    o.arguments = {"simulate", "--listen", "127.0.0.1:0", "--task-ms", task_ms};
    o.record = false;
    return o;
  }
  std::string state() const { return process.folder() + "/state"; }
  // Servers over one state folder, in front of one vCenter that goes on without them.
  ServerOptions server() const {
    ServerOptions o;
    o.arguments = {"serve",       "--demo",      "--listen",
                   "127.0.0.1:0", "--simulator", "127.0.0.1:" + std::to_string(process.port())};
    o.environment = {{"RATE_LIMIT", "false"}, {"STATE_DIR", state()}};
    o.record = false;
    return o;
  }
};

struct Said {
  int code = -1;
  std::string text;
  Json json() const {
    auto parsed = parse_trusted_json(text);
    REQUIRE_MESSAGE(parsed.ok(), text);
    return std::move(*parsed);
  }
};

Said audit_command(const std::string& words) {
  auto [code, text] = output_of(std::string(VMCP_PROGRAM) + " audit " + words);
  return {code, std::move(text)};
}

std::vector<Json> of_tool(const ServerProcess& server, const std::string& tool) {
  std::vector<Json> out;
  for (const Json& line : server.audit())
    if (line.value("event", "") != "journal" && line.contains("tool") && line["tool"] == tool)
      out.push_back(line);
  return out;
}
std::vector<std::string> events_of(const ServerProcess& server, const std::string& tool) {
  std::vector<std::string> out;
  for (const Json& line : of_tool(server, tool)) out.push_back(line["event"]);
  return out;
}

std::string some_vm(const ServerProcess& server) {
  const Json answer = call_tool(server.port(), "demo-ops", "list_vms", {{"limit", 1}}).json();
  return answer["result"]["structuredContent"]["vms"][0]["vm"];
}

std::vector<std::string> files_with(const std::string& folder, const std::string& ending) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("journal-") && entry.path().extension() == ending)
      out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

void flip(const std::string& file, std::size_t at) {
  std::fstream io(file, std::ios::in | std::ios::out | std::ios::binary);
  io.seekg(static_cast<std::streamoff>(at));
  const int byte = io.get();
  io.seekp(static_cast<std::streamoff>(at));
  io.put(static_cast<char>(byte ^ 1));
}

// In a file that has its name: a draft is lost with the process that writes it.
bool a_task_is_noted(const std::string& state) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(state + "/tasks", ignored)) {
    if (entry.path().extension() == ".new") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find("\"parked\"") != std::string::npos || text.find("parked\\\"") != std::string::npos)
      return true;
  }
  return false;
}

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("audit: a call that was cut off between intent and outcome is recorded as unknown, once") {
  Simulator simulator("300");
  std::string request;
  {
    ServerProcess server(simulator.server());
    const std::string vm = some_vm(server);
    // Warm: what the next call needs to know of the vCenter.
    call_tool(server.port(), "demo-ops", "create_vm_snapshot",
              {{"vm_id", vm}, {"snapshot_name", "first"}, {"dry_run", true}});
    // A vCenter that takes requests and does not answer them.
    REQUIRE(::kill(simulator.process.pid(), SIGSTOP) == 0);
    std::thread caller([&] {
      call_tool(server.port(), "demo-ops", "create_vm_snapshot",
                {{"vm_id", vm}, {"snapshot_name", "cut off"}});
    });
    const bool begun = wait_until(
        [&] {
          const Events events = events_of(server, "create_vm_snapshot");
          return !events.empty() && events.back() == "intent";
        },
        20'000);
    if (begun) request = of_tool(server, "create_vm_snapshot").back()["request_id"];
    server.kill();
    caller.join();
    REQUIRE(::kill(simulator.process.pid(), SIGCONT) == 0);
    REQUIRE(begun);
  }
  const Said orphans = audit_command("report --json --state-dir " + simulator.state());
  REQUIRE_MESSAGE(orphans.code == 0, orphans.text);
  REQUIRE(orphans.json()["orphans"].size() == 1);
  CHECK(orphans.json()["orphans"][0]["request_id"] == request);
  {
    ServerProcess next(simulator.server());
    REQUIRE(wait_until([&] { return !of_tool(next, "create_vm_snapshot").empty(); }, 10'000));
    const Json outcome = of_tool(next, "create_vm_snapshot").front();
    CHECK(outcome["event"] == "outcome");
    CHECK(outcome["request_id"] == request);
    CHECK(outcome["code"] == "unknown");
    CHECK(outcome["ok"] == false);
    CHECK(outcome["error"].get<std::string>().find("reconcile by reading") != std::string::npos);
    CHECK(next.log().find("calls were cut off") != std::string::npos);
    CHECK(next.stop() == 0);
  }
  ServerProcess third(simulator.server());
  some_vm(third);
  REQUIRE(wait_until([&] { return !of_tool(third, "list_vms").empty(); }, 10'000));
  CHECK(of_tool(third, "create_vm_snapshot").empty());
  CHECK(audit_command("report --json --state-dir " + simulator.state()).json()["orphans"].empty());
  CHECK(audit_command("verify --state-dir " + simulator.state()).code == 0);
}

TEST_CASE("audit: the task of a call that was cut off is followed to its end by the next server") {
  Simulator simulator("4000");
  {
    ServerProcess server(simulator.server());
    const std::string vm = some_vm(server);
    std::thread caller([&] {
      call_tool(server.port(), "demo-ops", "create_vm_snapshot", {{"vm_id", vm}, {"snapshot_name", "over"}});
    });
    const bool accepted = wait_until(
        [&] {
          return events_of(server, "create_vm_snapshot") == Events{"intent", "accepted"};
        },
        20'000);
    server.kill();
    caller.join();
    REQUIRE(accepted);
  }
  ServerProcess next(simulator.server());
  REQUIRE(wait_until([&] { return !of_tool(next, "create_vm_snapshot").empty(); }, 30'000));
  const Json outcome = of_tool(next, "create_vm_snapshot").front();
  CHECK(outcome["event"] == "outcome");
  CHECK_MESSAGE(outcome["ok"] == true, outcome.dump());
  CHECK(outcome["task"].get<std::string>() != "");
  CHECK(outcome["duration_ms"] >= 3'000);
  CHECK(next.stop() == 0);
  CHECK(of_tool(next, "create_vm_snapshot").size() == 1);
}

TEST_CASE(
    "audit: a task that goes on by itself after a kill has one outcome, not a second from the journal") {
  Simulator simulator("3000");
  {
    ServerProcess server(simulator.server());
    Json call{{"name", "create_vm_snapshot"},
              {"arguments", {{"vm_id", some_vm(server)}, {"snapshot_name", "goes on"}}}};
    call["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"]
        ["io.modelcontextprotocol/tasks"] = Json::object();
    modern(server.port(), "demo-ops", "tools/call", call);
    // The note that the next process reads.
    REQUIRE(wait_until([&] { return a_task_is_noted(simulator.state()); }, 20'000));
    server.kill();
  }
  ServerProcess next(simulator.server());
  REQUIRE(wait_until([&] { return !of_tool(next, "create_vm_snapshot").empty(); }, 30'000));
  // What is still followed at the end is recorded then, so nothing can come later.
  CHECK(next.stop() == 0);
  const auto lines = of_tool(next, "create_vm_snapshot");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["event"] == "outcome");
  CHECK_MESSAGE(lines[0]["ok"] == true, lines[0].dump());
  CHECK(next.log().find("calls were cut off") == std::string::npos);
}

TEST_CASE("audit: SIGHUP closes a segment, verify finds what was done to it, tail and report read it") {
  ServerProcess server;
  const std::string state = server.folder() + "/state", dir = " --state-dir " + state;
  const std::string vm = some_vm(server);
  call_tool(server.port(), "demo-read", "power_on_vm", {{"vm_id", vm}});
  ::kill(server.pid(), SIGHUP);
  REQUIRE(wait_until([&] { return files_with(state, ".head").size() == 1; }, 20'000));
  call_tool(server.port(), "demo-ops", "create_vm_snapshot", {{"vm_id", vm}, {"snapshot_name", "x"}});

  // Beside the server that runs.
  const Said clean = audit_command("verify --json" + dir);
  REQUIRE_MESSAGE(clean.code == 0, clean.text);
  CHECK(clean.json()["segments"] == 1);
  CHECK(clean.json()["codes_checked"] == true);
  const Said head = audit_command("head" + dir);
  REQUIRE_MESSAGE(head.code == 0, head.text);
  const std::string kept = server.folder() + "/kept.head";
  std::ofstream(kept) << head.text;
  const Said key = audit_command("verify --key " + kept + " --head " + kept + dir);
  CHECK_MESSAGE(key.code == 0, key.text);
  CHECK(key.text.find("intact: ") != std::string::npos);

  const Said tail = audit_command("tail -n 50" + dir);
  REQUIRE_MESSAGE(tail.code == 0, tail.text);
  CHECK(tail.text.find("list_vms") != std::string::npos);
  CHECK(tail.text.find("REFUSED") != std::string::npos);
  const Said refused = audit_command("tail --json --event refused" + dir);
  REQUIRE_MESSAGE(refused.code == 0, refused.text);
  CHECK(refused.json()["tool"] == "power_on_vm");
  CHECK(audit_command("tail --since 2200-01-01" + dir).text.empty());
  CHECK(audit_command("tail --since yesterday" + dir).code == 2);
  const Said report = audit_command("report" + dir);
  REQUIRE_MESSAGE(report.code == 0, report.text);
  CHECK(report.text.find("create_vm_snapshot") != std::string::npos);
  CHECK(report.text.find("intents without an outcome: 0") != std::string::npos);
  CHECK(server.stop() == 0);

  const std::string segment = files_with(state, ".jsonl").at(0), live = state + "/journal.jsonl";
  flip(segment, 100);
  const Said flipped = audit_command("verify" + dir);
  CHECK(flipped.code == 1);
  CHECK_MESSAGE(flipped.text.find("FINDING " + segment) != std::string::npos, flipped.text);
  flip(segment, 100);
  // Without the keys, as somebody who was given copies.
  fs::rename(state + "/keys", state + "/elsewhere");
  const Said blind = audit_command("verify --head " + kept + dir);
  CHECK_MESSAGE(blind.code == 0, blind.text);
  flip(segment, 100);
  CHECK(audit_command("verify" + dir).code == 1);
  CHECK(audit_command("verify " + segment).code == 1);
  flip(segment, 100);
  CHECK(audit_command("head" + dir).code == 2);
  CHECK(
      audit_command("verify --chain-key " + state + "/elsewhere/audit-chain " + segment + " " + live).code ==
      0);
  CHECK(audit_command("verify --chain-key " + state + "/elsewhere/audit-signing " + segment).code == 1);
  fs::rename(state + "/elsewhere", state + "/keys");

  // A cut end shows only against a head that was kept.
  std::string bytes;
  {
    std::ifstream in(live, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::ofstream(live, std::ios::binary | std::ios::trunc) << bytes.substr(0, bytes.find('\n') + 1);
  CHECK(audit_command("verify" + dir).code == 0);
  const Said cut = audit_command("verify --head " + kept + dir);
  CHECK(cut.code == 1);
  CHECK_MESSAGE(cut.text.find("was cut off") != std::string::npos, cut.text);
  CHECK(audit_command("verify --head " + server.folder() + "/absent" + dir).code == 2);
  CHECK(audit_command("verify --state-dir " + server.folder() + "/absent").code == 2);
}
