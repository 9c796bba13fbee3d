#include <future>
#include <thread>

#include "simulated.h"

namespace vmcp::simulator {
namespace {

Settings slow() {
  Settings settings;
  settings.task_time = milliseconds(10'000);
  return settings;
}

std::string start_snapshot(Simulated& sim, const std::string& vm) {
  const Exchanged started = sim.vim("VirtualMachine/" + vm + "/CreateSnapshot_Task",
                                    {{"name", "s"}, {"memory", false}, {"quiesce", false}});
  REQUIRE(started.status == 200);
  return started.body["value"];
}

Json info(Simulated& sim, const std::string& task) {
  return sim.vim_get("Task/" + task + "/info").body;
}

}  // namespace

TEST_CASE("a task is queued, runs with progress, and has its effect only at its end") {
  Simulated sim(slow());
  REQUIRE(sim.login() == 201);
  const Json vm =
      sim.find_vm([](const Json& v) { return v["power"] == "POWERED_ON" && v["snapshots"].empty(); });
  const std::string id = vm["id"];
  const std::string task = start_snapshot(sim, id);
  CHECK(info(sim, task)["state"] == "queued");
  CHECK_FALSE(info(sim, task).contains("startTime"));
  sim.advance(5500);
  Json half = info(sim, task);
  CHECK(half["state"] == "running");
  CHECK(half["progress"] == 50);
  CHECK(sim.vm(id)["snapshots"].empty());
  sim.advance(4499);
  CHECK(info(sim, task)["state"] == "running");
  sim.advance(1);
  const Json done = info(sim, task);
  CHECK(done["state"] == "success");
  CHECK(done["result"]["type"] == "VirtualMachineSnapshot");
  CHECK(sim.vm(id)["snapshots"][0]["id"] == done["result"]["value"]);
}

TEST_CASE("while a VM has a task, both APIs refuse the next one") {
  Simulated sim(slow());
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  const std::string task = start_snapshot(sim, vm);
  const Exchanged vim = sim.vim("VirtualMachine/" + vm + "/PowerOffVM_Task");
  CHECK(vim.status == 500);
  CHECK(vim.body["_typeName"] == "TaskInProgress");
  CHECK(vim.body["task"]["value"] == task);
  const Exchanged api = sim.post("/api/vcenter/vm/" + vm + "/power?action=stop");
  CHECK(api.status == 500);
  CHECK(api.body["error_type"] == "RESOURCE_BUSY");
  const Exchanged rest = sim.post("/rest/vcenter/vm/" + vm + "/power/stop");
  CHECK(rest.status == 400);
  CHECK(rest.body["type"] == "com.vmware.vapi.std.errors.resource_busy");
}

TEST_CASE("an Automation call answers when its task has ended, not before") {
  Simulated sim(slow());
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  auto stop = std::async(std::launch::async,
                         [&] { return sim.post("/api/vcenter/vm/" + vm + "/power?action=stop").status; });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sim.state()["counts"]["tasks_unfinished"] == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(sim.vm(vm)["power"] == "POWERED_ON");
  CHECK(stop.wait_for(std::chrono::milliseconds(1)) == std::future_status::timeout);
  sim.advance(10'000);
  CHECK(stop.get() == 204);
  CHECK(sim.vm(vm)["power"] == "POWERED_OFF");
}

TEST_CASE("stopping the simulator ends a call that waits for its task") {
  Simulated sim(slow());
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  auto stop = std::async(std::launch::async,
                         [&] { return sim.post("/api/vcenter/vm/" + vm + "/power?action=stop").status; });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sim.state()["counts"]["tasks_unfinished"] == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  sim.vcenter().stop();
  CHECK(stop.get() == 503);
}

TEST_CASE("a cancelled task has no effect and says so, a finished one cannot be cancelled") {
  Simulated sim(slow());
  REQUIRE(sim.login() == 201);
  const Json vm = sim.find_vm([](const Json& v) { return v["snapshots"].empty(); });
  const std::string id = vm["id"];
  const std::string task = start_snapshot(sim, id);
  sim.advance(2000);
  CHECK(sim.vim("Task/" + task + "/CancelTask").status == 204);
  const Json after = info(sim, task);
  CHECK(after["state"] == "error");
  CHECK(after["cancelled"] == true);
  CHECK(after["error"]["fault"]["_typeName"] == "RequestCanceled");
  sim.advance(60'000);
  CHECK(sim.vm(id)["snapshots"].empty());
  CHECK(sim.vim("Task/" + task + "/CancelTask").body["_typeName"] == "InvalidState");
}

TEST_CASE("a finished task's id is forgotten after ten minutes") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string task = start_snapshot(sim, sim.powered("POWERED_OFF"));
  sim.advance(9 * 60'000);
  CHECK(info(sim, task)["state"] == "success");
  sim.advance(2 * 60'000);
  const Exchanged gone = sim.vim_get("Task/" + task + "/info");
  CHECK(gone.status == 500);
  CHECK(gone.body["_typeName"] == "ManagedObjectNotFound");
}

TEST_CASE("an ordered failure shows in the task and leaves the VM as it was") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json order = {{"task", "CreateSnapshot*"}, {"count", 1}, {"message", "disk is full"}};
  REQUIRE(sim.post("/simulator/fault", order).status == 200);
  const Json vm = sim.find_vm([](const Json& v) { return v["snapshots"].empty(); });
  const std::string id = vm["id"];
  const Json failed = info(sim, start_snapshot(sim, id));
  CHECK(failed["state"] == "error");
  CHECK(failed["error"]["localizedMessage"] == "disk is full");
  CHECK(failed["error"]["fault"]["reason"] == "disk is full");
  CHECK(sim.vm(id)["snapshots"].empty());
  CHECK(info(sim, start_snapshot(sim, id))["state"] == "success");
}

TEST_CASE("an ordered failure of a synchronous call is its error") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  REQUIRE(sim.post("/simulator/fault", {{"task", "PowerOffVM_Task"}, {"message", "no"}}).status == 200);
  const std::string vm = sim.powered("POWERED_ON");
  const Exchanged answer = sim.post("/api/vcenter/vm/" + vm + "/power?action=stop");
  CHECK(answer.status == 500);
  CHECK(answer.body["error_type"] == "ERROR");
  CHECK(sim.vm(vm)["power"] == "POWERED_ON");
}

}  // namespace vmcp::simulator
