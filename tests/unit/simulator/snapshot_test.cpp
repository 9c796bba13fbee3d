#include "simulated.h"

namespace vmcp::simulator {
namespace {

// A VM without snapshots, and the calls that make and remove them.
class Tree {
 public:
  explicit Tree(const char* power = "POWERED_ON") {
    REQUIRE(sim.login() == 201);
    vm = sim.find_vm([&](const Json& v) {
      return v["power"] == power && v["snapshots"].empty() &&
             v["tools_running"] == (v["power"] == "POWERED_ON");
    })["id"];
  }
  Json run(const std::string& target, const Json& body = Json::object()) {
    const Exchanged started = sim.vim(target, body);
    REQUIRE(started.status == 200);
    return sim.vim_get("Task/" + started.body["value"].get<std::string>() + "/info").body;
  }
  std::string create(const std::string& name, bool memory = false, bool quiesce = false) {
    const Json info =
        run("VirtualMachine/" + vm + "/CreateSnapshot_Task",
            {{"name", name}, {"description", name + "!"}, {"memory", memory}, {"quiesce", quiesce}});
    return info["state"] == "success" ? info["result"]["value"].get<std::string>()
                                      : info["error"]["fault"]["_typeName"].get<std::string>();
  }
  std::string state_of(const std::string& snapshot, const std::string& method, const Json& body) {
    return run("VirtualMachineSnapshot/" + snapshot + "/" + method, body)["state"];
  }
  // "a(b(c),d)"
  static std::string shape(const Json& list) {
    std::string out;
    for (const Json& item : list) {
      out += (out.empty() ? "" : ",") + item["name"].get<std::string>();
      const Json children = item.value("childSnapshotList", Json::array());
      if (!children.empty()) out += "(" + shape(children) + ")";
    }
    return out;
  }
  std::string shape() {
    const Exchanged tree = sim.vim_get("VirtualMachine/" + vm + "/snapshot");
    return tree.status == 204 ? "" : shape(tree.body["rootSnapshotList"]);
  }
  Json current() { return sim.vm(vm)["current_snapshot"]; }

  Simulated sim;
  std::string vm;
};

}  // namespace

TEST_CASE("snapshots grow below the current one, and a revert starts a branch") {
  Tree tree;
  const std::string a = tree.create("a");
  const std::string b = tree.create("b");
  CHECK(tree.shape() == "a(b)");
  CHECK(tree.current() == b);
  CHECK(tree.state_of(a, "RevertToSnapshot_Task", Json::object()) == "success");
  CHECK(tree.current() == a);
  tree.create("c");
  CHECK(tree.shape() == "a(b,c)");
  const Json root = tree.sim.vim_get("VirtualMachine/" + tree.vm + "/snapshot").body["rootSnapshotList"][0];
  CHECK(root["_typeName"] == "VirtualMachineSnapshotTree");
  CHECK(root["description"] == "a!");
  CHECK(root["vm"]["value"] == tree.vm);
  CHECK(root["id"] == 1);
}

TEST_CASE("removing one snapshot moves its children up, removing with children takes them along") {
  Tree tree;
  tree.create("a");
  const std::string b = tree.create("b");
  const std::string c = tree.create("c");
  tree.state_of(b, "RevertToSnapshot_Task", Json::object());
  tree.create("d");
  CHECK(tree.shape() == "a(b(c,d))");
  CHECK(tree.state_of(b, "RemoveSnapshot_Task", {{"removeChildren", false}}) == "success");
  CHECK(tree.shape() == "a(c,d)");
  const std::string d = tree.current();
  tree.create("e");
  CHECK(tree.state_of(d, "RemoveSnapshot_Task", {{"removeChildren", true}, {"consolidate", true}}) ==
        "success");
  CHECK(tree.shape() == "a(c)");
  CHECK(tree.sim.vim_get("VirtualMachineSnapshot/" + d + "/vm").body["_typeName"] == "ManagedObjectNotFound");
  // The current one was below what went: its parent takes its place.
  CHECK(tree.sim.vm(tree.vm)["snapshots"][0]["id"] == tree.current());
  CHECK(tree.sim.vim_get("VirtualMachineSnapshot/" + c + "/vm").body["value"] == tree.vm);
}

TEST_CASE("removing the only snapshot or all of them leaves none, and none is fine as well") {
  Tree tree;
  const std::string a = tree.create("a");
  CHECK(tree.state_of(a, "RemoveSnapshot_Task", {{"removeChildren", false}}) == "success");
  CHECK(tree.shape().empty());
  CHECK(tree.current().is_null());
  tree.create("b");
  tree.create("c");
  const std::string all = "VirtualMachine/" + tree.vm + "/RemoveAllSnapshots_Task";
  CHECK(tree.run(all, {{"consolidate", true}})["state"] == "success");
  CHECK(tree.shape().empty());
  CHECK(tree.run(all)["state"] == "success");
}

TEST_CASE("a revert brings back size and power") {
  Tree tree;
  const Json before = tree.sim.vm(tree.vm);
  const std::string running = tree.create("running", true);
  const std::string disk_only = tree.create("disk only");
  REQUIRE(tree.sim.post("/api/vcenter/vm/" + tree.vm + "/power?action=stop").status == 204);
  REQUIRE(tree.sim.send("PATCH", "/api/vcenter/vm/" + tree.vm + "/hardware/memory", {{"size_MiB", 1024}})
              .status == 204);
  CHECK(tree.state_of(running, "RevertToSnapshot_Task", Json::object()) == "success");
  CHECK(tree.sim.vm(tree.vm)["power"] == "POWERED_ON");
  CHECK(tree.sim.vm(tree.vm)["memory_mb"] == before["memory_mb"]);
  CHECK(tree.state_of(running, "RevertToSnapshot_Task", {{"suppressPowerOn", true}}) == "success");
  CHECK(tree.sim.vm(tree.vm)["power"] == "POWERED_OFF");
  REQUIRE(tree.sim.post("/api/vcenter/vm/" + tree.vm + "/power?action=start").status == 204);
  CHECK(tree.state_of(disk_only, "RevertToSnapshot_Task", Json::object()) == "success");
  CHECK(tree.sim.vm(tree.vm)["power"] == "POWERED_OFF");
  CHECK(tree.run("VirtualMachine/" + tree.vm + "/RevertToCurrentSnapshot_Task")["state"] == "success");
}

TEST_CASE("memory and quiescing are kept only where they mean something") {
  Tree off("POWERED_OFF");
  off.create("a", true, true);
  const Json cold = off.sim.vm(off.vm)["snapshots"][0];
  CHECK(cold["with_memory"] == false);
  CHECK(cold["quiesced"] == false);
  Tree on;
  on.create("a", false, true);
  CHECK(on.sim.vm(on.vm)["snapshots"][0]["quiesced"] == true);
  const Json bare =
      on.sim.find_vm([](const Json& v) { return v["power"] == "POWERED_ON" && !v["tools_running"]; });
  on.vm = bare["id"];
  CHECK(on.create("b", false, true) == "ApplicationQuiesceFault");
}

TEST_CASE("CreateSnapshotEx takes a quiesce spec") {
  Tree tree;
  const Json spec = {{"_typeName", "VirtualMachineGuestQuiesceSpec"}, {"timeout", 10}};
  const std::string target = "VirtualMachine/" + tree.vm + "/CreateSnapshotEx_Task";
  CHECK(tree.run(target, {{"name", "a"}, {"memory", false}, {"quiesceSpec", spec}})["state"] == "success");
  CHECK(tree.sim.vm(tree.vm)["snapshots"][0]["quiesced"] == true);
  CHECK(tree.run(target, {{"name", "b"}, {"memory", false}})["state"] == "success");
  const Json wrong = {{"_typeName", "Description"}, {"label", ""}, {"summary", ""}};
  CHECK(tree.sim.vim(target, {{"name", "c"}, {"memory", false}, {"quiesceSpec", wrong}}).status == 500);
}

TEST_CASE("a snapshot is renamed at once, and needs a name of 1 to 80 characters") {
  Tree tree;
  const std::string a = tree.create("a");
  const std::string target = "VirtualMachineSnapshot/" + a + "/RenameSnapshot";
  CHECK(tree.sim.vim(target, {{"name", "n"}}).status == 204);
  CHECK(tree.shape() == "n");
  CHECK(tree.sim.vim(target, {{"name", ""}}).body["_typeName"] == "InvalidName");
  CHECK(tree.sim.vim(target, {{"name", std::string(81, 'x')}}).body["_typeName"] == "InvalidName");
  CHECK(tree.sim.vim(target, {{"description", "d"}}).status == 204);
  CHECK(tree.sim.vm(tree.vm)["snapshots"][0]["description"] == "d");
  CHECK(tree.sim
            .vim("VirtualMachine/" + tree.vm + "/CreateSnapshot_Task",
                 {{"name", ""}, {"memory", false}, {"quiesce", false}})
            .body["_typeName"] == "InvalidName");
}

TEST_CASE("the 33rd level is refused") {
  Tree tree;
  for (int i = 0; i < 32; ++i) REQUIRE(tree.create("s" + std::to_string(i)).rfind("snapshot-", 0) == 0);
  CHECK(tree.create("one too many") == "TooManySnapshotLevels");
}

TEST_CASE("deleting a VM deletes its snapshots") {
  Tree tree("POWERED_OFF");
  const std::string a = tree.create("a");
  REQUIRE(tree.sim.send("DELETE", "/api/vcenter/vm/" + tree.vm).status == 204);
  CHECK(tree.sim.vim("VirtualMachineSnapshot/" + a + "/RevertToSnapshot_Task").body["_typeName"] ==
        "ManagedObjectNotFound");
}

}  // namespace vmcp::simulator
