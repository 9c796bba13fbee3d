#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

const Json kSnapshotVm{{"vm_id", "vm-1"}};
const char* const kTreeRequest = "VirtualMachine vm-1 snapshot";
const char* const kCreate = "VirtualMachine vm-1 CreateSnapshot_Task";
const char* const kRemove = "VirtualMachineSnapshot snapshot-2 RemoveSnapshot_Task";

Json node(const char* id, const char* name, Json children = Json::array()) {
  Json out{{"snapshot", reference("VirtualMachineSnapshot", id)},
           {"vm", reference("VirtualMachine", "vm-1")},
           {"name", name},
           {"description", ""},
           {"id", 1},
           {"createTime", "2026-02-03T10:11:12Z"},
           {"state", "poweredOff"},
           {"quiesced", false}};
  if (!children.empty()) out["childSnapshotList"] = std::move(children);
  return out;
}

// base (1) ─ before-upgrade (2) ─┬ test (3), current
//                                └ other (4)
void add_tree(FakeHost& host) {
  const Json middle = node("snapshot-2", "before-upgrade",
                           Json::array({node("snapshot-3", "test"), node("snapshot-4", "other")}));
  host.on_vim(kTreeRequest,
              {.body = {{"currentSnapshot", reference("VirtualMachineSnapshot", "snapshot-3")},
                        {"rootSnapshotList", Json::array({node("snapshot-1", "base", {middle})})}}});
}

Json create_arguments() {
  return {{"vm_id", "vm-1"}, {"snapshot_name", "s"}, {"memory", true}};
}
Json remove_arguments() {
  return {{"vm_id", "vm-1"}, {"snapshot_id", "snapshot-2"}};
}

}  // namespace

TEST_CASE("list_vm_snapshots: parents come before children and the current one is marked") {
  FakeHost host(plugin_file("snapshot"));
  add_tree(host);
  const Outcome outcome = host.call("list_vm_snapshots", kSnapshotVm);
  check_answer(host, "list_vm_snapshots", outcome);
  CHECK(outcome.json["count"] == 4);
  CHECK(outcome.json["current"] == "snapshot-3");
  const Json& list = outcome.json["snapshots"];
  CHECK(list[0]["parent"].is_null());
  CHECK(list[0]["children"] == Json::array({"snapshot-2"}));
  CHECK(list[1]["parent"] == "snapshot-1");
  CHECK(list[1]["children"] == Json::array({"snapshot-3", "snapshot-4"}));
  CHECK(list[2]["snapshot"] == "snapshot-3");
  CHECK(list[2]["current"] == true);
  CHECK(list[2]["depth"] == 2);
  CHECK(list[3]["current"] == false);
  CHECK(list[3]["power_state"] == "POWERED_OFF");
}

TEST_CASE("list_vm_snapshots: a VM without snapshots has an empty list") {
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kTreeRequest, {});
  const Outcome outcome = host.call("list_vm_snapshots", kSnapshotVm);
  check_answer(host, "list_vm_snapshots", outcome);
  CHECK(outcome.json["count"] == 0);
  CHECK(outcome.json["current"].is_null());
}

TEST_CASE("list_vm_snapshots: a tree without end is cut, and says so") {
  Json deep = node("snapshot-0", "leaf");
  for (int i = 0; i < 200; ++i) deep = node("snapshot-x", "n", Json::array({deep}));
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kTreeRequest, {.body = {{"rootSnapshotList", Json::array({deep})}}});
  const Outcome outcome = host.call("list_vm_snapshots", kSnapshotVm);
  check_answer(host, "list_vm_snapshots", outcome);
  CHECK(outcome.json["truncated"] == true);
  CHECK(outcome.json["count"] == 64);
}

TEST_CASE("create_vm_snapshot: waits for the task and gives the new id") {
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kCreate, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("create_vm_snapshot", create_arguments());
  REQUIRE(first.status == VMCP_SUSPENDED);
  CHECK(first.task == "task-9");
  CHECK(host.requests().at(0).body ==
        Json{{"name", "s"}, {"description", ""}, {"memory", true}, {"quiesce", false}});

  const Outcome done = host.resume("create_vm_snapshot", create_arguments(), first,
                                   task_info("success", reference("VirtualMachineSnapshot", "snapshot-7")));
  check_answer(host, "create_vm_snapshot", done);
  CHECK(done.result()["snapshot"] == "snapshot-7");
  CHECK(done.result()["state"] == "completed");
  CHECK(host.changing_requests().size() == 1);
}

TEST_CASE("create_vm_snapshot: a task that outlives the deadline is running, with its id") {
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kCreate, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("create_vm_snapshot", create_arguments());
  const Outcome late = host.resume("create_vm_snapshot", create_arguments(), first, task_info("running"));
  check_answer(host, "create_vm_snapshot", late);
  CHECK(late.result()["state"] == "running");
  CHECK(late.result()["task"] == "task-9");
  CHECK(mentions(late.result()["message"], "list_vm_snapshots"));
}

TEST_CASE("create_vm_snapshot: a task that the host lost sight of is not started a second time") {
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kCreate, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("create_vm_snapshot", create_arguments());
  const Outcome lost = host.resume("create_vm_snapshot", create_arguments(), first, Json());
  check_answer(host, "create_vm_snapshot", lost);
  CHECK(lost.result()["state"] == "running");
  CHECK(host.changing_requests().size() == 1);
}

TEST_CASE("create_vm_snapshot: a failed task is an error in vCenter's words") {
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kCreate, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("create_vm_snapshot", create_arguments());
  const Outcome failed = host.resume("create_vm_snapshot", create_arguments(), first,
                                     failed_task("TaskInProgress", "Another task is already in progress."));
  CHECK(failed.status == VMCP_E_CONFLICT);
  CHECK(mentions(failed.failure, "Another task is already in progress."));
  CHECK(mentions(failed.failure, "wait for it"));

  Json silent = failed_task("SnapshotFault", "");
  silent["error"]["fault"]["faultMessage"] = Json::array({{{"message", "Disk is full."}}});
  CHECK(mentions(host.resume("create_vm_snapshot", create_arguments(), first, silent).failure,
                 "Disk is full."));
  const Json denied = failed_task("NoPermission", "Permission was denied.");
  CHECK(host.resume("create_vm_snapshot", create_arguments(), first, denied).status == VMCP_E_DENIED);
}

TEST_CASE("create_vm_snapshot: the preview warns about flags without effect") {
  FakeHost host(plugin_file("snapshot"));
  add_tree(host);
  host.add_object("vm", "vm-1", "a", {{"runtime.powerState", "poweredOff"}});
  const Outcome outcome =
      host.preview("create_vm_snapshot",
                   {{"vm_id", "vm-1"}, {"snapshot_name", "test"}, {"memory", true}, {"quiesce", true}});
  check_preview(host, outcome);
  CHECK(outcome.json["before"]["snapshots"] == 4);
  CHECK(outcome.json["after"]["snapshots"] == 5);
  const std::string warnings = outcome.json["warnings"].dump();
  CHECK(mentions(warnings, "memory has no effect"));
  CHECK(mentions(warnings, "quiesce has no effect"));
  CHECK(mentions(warnings, "snapshot-3"));
}

TEST_CASE("delete_vm_snapshot: keeps children, says so, and removes only the one") {
  FakeHost host(plugin_file("snapshot"));
  add_tree(host);
  host.on_vim(kRemove, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("delete_vm_snapshot", remove_arguments());
  REQUIRE(first.status == VMCP_SUSPENDED);
  CHECK(first.state.size() <= VMCP_STATE_MAX_BYTES);
  CHECK(host.requests().back().body == Json{{"removeChildren", false}, {"consolidate", true}});

  const Outcome done = host.resume("delete_vm_snapshot", remove_arguments(), first, task_info("success"));
  check_answer(host, "delete_vm_snapshot", done);
  CHECK(done.result()["deleted"] == true);
  CHECK(done.result()["kept_children"].size() == 2);
  const std::string message = done.result()["message"];
  CHECK(mentions(message, "2 children, test (snapshot-3), other (snapshot-4), were kept"));
  CHECK(mentions(message, "base (snapshot-1)"));
}

TEST_CASE(
    "delete_vm_snapshot: a failed task is an error in vCenter's words, and one out of sight is running") {
  FakeHost host(plugin_file("snapshot"));
  add_tree(host);
  host.on_vim(kRemove, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("delete_vm_snapshot", remove_arguments());
  const Outcome failed = host.resume("delete_vm_snapshot", remove_arguments(), first,
                                     failed_task("TaskInProgress", "Another task is already in progress."));
  CHECK(failed.status == VMCP_E_CONFLICT);
  CHECK(mentions(failed.failure, "Another task is already in progress."));
  CHECK(mentions(failed.failure, "before-upgrade"));
  for (const Json& open : {task_info("running"), Json(nullptr)}) {
    const Outcome running = host.resume("delete_vm_snapshot", remove_arguments(), first, open);
    check_answer(host, "delete_vm_snapshot", running);
    CHECK(running.result()["state"] == "running");
    CHECK_FALSE(running.result().contains("deleted"));
  }
  CHECK(host.changing_requests().size() == 1);
}

TEST_CASE("delete_vm_snapshot: many children with long names still fit into the state") {
  Json children = Json::array();
  for (int i = 0; i < 200; ++i) children.push_back(node("snapshot-3", std::string(80, '\x01').c_str()));
  FakeHost host(plugin_file("snapshot"));
  const Json target = node("snapshot-2", std::string(300, '\x02').c_str(), std::move(children));
  host.on_vim(kTreeRequest,
              {.body = {{"rootSnapshotList", Json::array({node("snapshot-1", std::string(300, '\x03').c_str(),
                                                               Json::array({target}))})}}});
  host.on_vim(kRemove, {.body = reference("Task", "task-9")});
  const Outcome first = host.call("delete_vm_snapshot", remove_arguments());
  CHECK(first.status == VMCP_SUSPENDED);
  CHECK(first.failure.empty());
  const Outcome done = host.resume("delete_vm_snapshot", remove_arguments(), first, task_info("success"));
  CHECK(mentions(done.result()["message"], "200 children"));
}

TEST_CASE("delete_vm_snapshot: one that is gone is not found, and nothing is sent") {
  FakeHost host(plugin_file("snapshot"));
  host.on_vim(kTreeRequest, {});
  const Outcome outcome = host.call("delete_vm_snapshot", remove_arguments());
  CHECK(outcome.status == VMCP_E_NOT_FOUND);
  CHECK(mentions(outcome.failure, "list_vm_snapshots"));
  CHECK(host.changing_requests().empty());
}

TEST_CASE("delete_vm_snapshot: the preview names the children that are kept") {
  FakeHost host(plugin_file("snapshot"));
  add_tree(host);
  const Outcome outcome = host.preview("delete_vm_snapshot", remove_arguments());
  check_preview(host, outcome);
  CHECK(outcome.json["before"]["snapshots"] == 4);
  CHECK(outcome.json["after"]["snapshots"] == 3);
  CHECK(outcome.json["after"]["kept_children"].size() == 2);
}
