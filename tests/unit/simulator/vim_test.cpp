#include <set>

#include "simulated.h"

namespace vmcp::simulator {
namespace {

const char* const kRetrieve = "PropertyCollector/propertyCollector/RetrievePropertiesEx";
const char* const kContinue = "PropertyCollector/propertyCollector/ContinueRetrievePropertiesEx";

Json reference(const std::string& type, const std::string& id) {
  return {{"_typeName", "ManagedObjectReference"}, {"type", type}, {"value", id}};
}

Json traversal(const char* name, const char* type, const char* path, Json select = Json::array()) {
  return {{"_typeName", "TraversalSpec"},
          {"name", name},
          {"type", type},
          {"path", path},
          {"selectSet", std::move(select)}};
}
Json named(const char* name) {
  return {{"_typeName", "SelectionSpec"}, {"name", name}};
}

Json request_for(const Json& object, const Json& select, const Json& prop_set) {
  return {{"specSet",
           {{{"_typeName", "PropertyFilterSpec"},
             {"propSet", prop_set},
             {"objectSet",
              {{{"_typeName", "ObjectSpec"}, {"obj", object}, {"skip", true}, {"selectSet", select}}}}}}},
          {"options", {{"_typeName", "RetrieveOptions"}}}};
}

Json properties(const std::string& type, const Json& paths) {
  return Json::array({{{"_typeName", "PropertySpec"}, {"type", type}, {"pathSet", paths}}});
}

std::string fault_of(const Exchanged& answer) {
  return answer.status == 500 ? answer.body["_typeName"].get<std::string>()
                              : "status " + std::to_string(answer.status);
}

}  // namespace

TEST_CASE("retrieval pages at the server's size, whatever the client wishes") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json body = all_of(sim, "VirtualMachine", {"name"}, {{"maxObjects", 1000}});
  Exchanged page = sim.vim(kRetrieve, body);
  REQUIRE(page.status == 200);
  CHECK(page.body["objects"].size() == 100);
  REQUIRE(page.body.contains("token"));
  const Json token = {{"token", page.body["token"]}};
  page = sim.vim(kContinue, token);
  CHECK(page.body["objects"].size() == 20);
  CHECK_FALSE(page.body.contains("token"));
  CHECK(fault_of(sim.vim(kContinue, token)) == "InvalidArgument");  // a token is good once

  const Json small = all_of(sim, "VirtualMachine", {"name"}, {{"maxObjects", 7}});
  CHECK(sim.vim(kRetrieve, small).body["objects"].size() == 7);
  CHECK(retrieve(sim, "VirtualMachine", {"name"}).size() == 120);
}

TEST_CASE("a cursor belongs to its session, can be cancelled, and skips what was deleted meanwhile") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json body = all_of(sim, "VirtualMachine", {"name"});
  const Json token = {{"token", sim.vim(kRetrieve, body).body["token"]}};
  const std::string mine = sim.session();
  REQUIRE(sim.login() == 201);
  CHECK(fault_of(sim.vim(kContinue, token)) == "InvalidArgument");
  sim.use_session(mine);
  CHECK(sim.vim("PropertyCollector/propertyCollector/CancelRetrievePropertiesEx", token).status == 204);
  CHECK(fault_of(sim.vim(kContinue, token)) == "InvalidArgument");

  const Json second = {{"token", sim.vim(kRetrieve, body).body["token"]}};
  const Json all = sim.state();
  std::size_t deleted = 0;
  for (const Json& vm : all["vms"]) {
    if (vm["power"] != "POWERED_ON" &&
        sim.vim("VirtualMachine/" + vm["id"].get<std::string>() + "/Destroy_Task").status == 200) {
      ++deleted;
    }
  }
  REQUIRE(deleted > 10);
  const Exchanged rest = sim.vim(kContinue, second);
  CHECK(rest.status == 200);
  CHECK(rest.body["objects"].size() < 20);
}

TEST_CASE("values are boxed as Any, structs and references name themselves") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json paths = {"name",
                      "runtime.powerState",
                      "runtime.host",
                      "summary.quickStats",
                      "datastore",
                      "config.hardware.numCPU",
                      "config.template",
                      "runtime.bootTime",
                      "config.hardware.device"};
  const Json objects = sim.vim(kRetrieve, all_of(sim, "VirtualMachine", paths)).body["objects"];
  std::set<std::string> boxes;
  for (const Json& object : objects) {
    for (const Json& property : object["propSet"]) {
      const Json& value = property["val"];
      boxes.insert(property["name"].get<std::string>() + ":" + value["_typeName"].get<std::string>() +
                   (value.contains("_value") ? "*" : ""));
    }
  }
  const std::set<std::string> expected = {"name:string*",
                                          "runtime.powerState:VirtualMachinePowerState*",
                                          "runtime.host:ManagedObjectReference",
                                          "summary.quickStats:VirtualMachineQuickStats",
                                          "datastore:ArrayOfManagedObjectReference*",
                                          "config.hardware.numCPU:int*",
                                          "config.template:boolean*",
                                          "runtime.bootTime:dateTime*",
                                          "config.hardware.device:ArrayOfVirtualDevice*"};
  CHECK(boxes == expected);
}

TEST_CASE("an unset property is left out, a path that vim25 does not know is a fault that names it") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Exchanged unset = sim.vim(
      kRetrieve, all_of(sim, "VirtualMachine", {"config.extraConfig", "layoutEx", "guest.screen.width"}));
  CHECK(unset.status == 200);
  CHECK_FALSE(unset.body["objects"][0].contains("propSet"));
  CHECK_FALSE(unset.body["objects"][0].contains("missingSet"));
  for (const char* wrong : {"nme", "summary.quickstats", "name.length", "runtime.host.name", ""}) {
    const Exchanged answer = sim.vim(kRetrieve, all_of(sim, "VirtualMachine", {"name", wrong}));
    CHECK(fault_of(answer) == "InvalidProperty");
    CHECK(answer.body["name"] == wrong);
  }
  const Json object = reference("Folder", "group-d1");
  CHECK(fault_of(sim.vim(kRetrieve, request_for(object, Json::array(),
                                                properties("VirtualMachin", {"name"})))) == "InvalidType");
}

TEST_CASE("objects can be named directly, and a missing one is a fault unless the filter forgives it") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string vm = sim.powered("POWERED_ON");
  Json body =
      request_for(reference("VirtualMachine", vm), Json::array(), properties("VirtualMachine", {"name"}));
  Json& objects = body["specSet"][0]["objectSet"];
  objects[0].erase("skip");
  CHECK(sim.vim(kRetrieve, body).body["objects"][0]["obj"]["value"] == vm);
  objects.push_back({{"_typeName", "ObjectSpec"}, {"obj", reference("VirtualMachine", "vm-999999")}});
  CHECK(fault_of(sim.vim(kRetrieve, body)) == "ManagedObjectNotFound");
  body["specSet"][0]["reportMissingObjectsInResults"] = true;
  CHECK(sim.vim(kRetrieve, body).body["objects"].size() == 1);
  // The right id under the wrong type is not found either.
  objects = Json::array({{{"_typeName", "ObjectSpec"}, {"obj", reference("HostSystem", vm)}}});
  body["specSet"][0].erase("reportMissingObjectsInResults");
  CHECK(fault_of(sim.vim(kRetrieve, body)) == "ManagedObjectNotFound");
}

TEST_CASE("a walk by type and path, with named selections and a ring, finds each object once") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json folders =
      traversal("folders", "Folder", "childEntity",
                {named("folders"), named("vmFolder"), named("hostFolder"), named("hosts"), named("up")});
  const Json select = {folders,
                       traversal("vmFolder", "Datacenter", "vmFolder", {named("folders")}),
                       traversal("hostFolder", "Datacenter", "hostFolder", {named("folders")}),
                       traversal("hosts", "ComputeResource", "host", {named("vms")}),
                       traversal("vms", "HostSystem", "vm"),
                       traversal("up", "ManagedEntity", "parent", {named("folders")})};
  Json wanted = properties("VirtualMachine", {"name"});
  wanted.push_back({{"_typeName", "PropertySpec"}, {"type", "ComputeResource"}, {"pathSet", {"name"}}});
  std::multiset<std::string> seen;
  Exchanged page = sim.vim(kRetrieve, request_for(reference("Folder", "group-d1"), select, wanted));
  while (page.status == 200) {
    for (const Json& object : page.body["objects"]) seen.insert(object["obj"]["value"].get<std::string>());
    if (!page.body.contains("token")) break;
    page = sim.vim(kContinue, {{"token", page.body["token"]}});
  }
  CHECK(seen.size() == 123);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 123);

  const Json wrong = {traversal("a", "Folder", "children")};
  CHECK(fault_of(sim.vim(kRetrieve, request_for(reference("Folder", "group-d1"), wrong, wanted))) ==
        "InvalidProperty");
  const Json lost = {named("nobody")};
  CHECK(fault_of(sim.vim(kRetrieve, request_for(reference("Folder", "group-d1"), lost, wanted))) ==
        "InvalidArgument");
}

TEST_CASE("views follow their container, their types and their depth") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const auto view = [&](const std::string& type, const std::string& id, const Json& types, bool recursive) {
    const Exchanged made =
        sim.vim("ViewManager/ViewManager/CreateContainerView",
                {{"container", reference(type, id)}, {"type", types}, {"recursive", recursive}});
    REQUIRE(made.status == 200);
    return made.body["value"].get<std::string>();
  };
  const auto size = [&](const std::string& id) {
    std::string escaped;
    for (const char c : id) escaped += c == '[' ? "%5B" : c == ']' ? "%5D" : std::string(1, c);
    const Exchanged list = sim.vim_get("ContainerView/" + escaped + "/view");
    REQUIRE(list.status == 200);
    return list.body.size();
  };
  CHECK(size(view("Folder", "group-d1", {"VirtualMachine"}, true)) == 120);
  CHECK(size(view("Folder", "group-d1", {"VirtualMachine", "HostSystem"}, true)) == 128);
  CHECK(size(view("Folder", "group-d1", {"Datacenter"}, false)) == 2);
  CHECK(size(view("Folder", "group-d1", {"Network"}, true)) == 10);
  CHECK(size(view("Folder", "group-d1", {"VirtualMachine"}, false)) == 0);
  const Json host = sim.state()["hosts"][0];
  CHECK(size(view("HostSystem", host["id"], {"VirtualMachine"}, true)) == host["vms"].get<std::size_t>());
  std::size_t of_clusters = 0;
  const Json clusters = sim.get("/api/vcenter/cluster").body;
  for (const Json& cluster : clusters) {
    of_clusters += size(view("ClusterComputeResource", cluster["cluster"], {"VirtualMachine"}, true));
  }
  CHECK(of_clusters == 120);

  const std::string doomed = view("Folder", "group-d1", {"VirtualMachine"}, true);
  CHECK(sim.vim("ContainerView/" + doomed + "/DestroyView").status == 204);
  CHECK(fault_of(sim.vim_get("ContainerView/" + doomed + "/view")) == "ManagedObjectNotFound");
  // A session's views go with it.
  const std::string orphan = view("Folder", "group-d1", {"VirtualMachine"}, true);
  REQUIRE(sim.vim("SessionManager/SessionManager/Logout").status == 204);
  CHECK(sim.get("/simulator/state").body["counts"]["views"] == 0);
}

TEST_CASE("no match is an empty answer") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  Json body =
      request_for(reference("Folder", "group-d1"), Json::array(), properties("VirtualMachine", {"name"}));
  const Exchanged answer = sim.vim(kRetrieve, body);
  CHECK(answer.status == 204);
  CHECK(answer.text.empty());
}

TEST_CASE("a property is read by its own URL, typed by the schema and not boxed") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json with = sim.find_vm([](const Json& v) { return !v["snapshots"].empty(); });
  const Json without = sim.find_vm([](const Json& v) { return v["snapshots"].empty(); });
  const std::string a = with["id"], b = without["id"];
  CHECK(sim.vim_get("VirtualMachine/" + a + "/name").body == with["name"]);
  CHECK(sim.vim_get("ManagedEntity/" + a + "/name").body == with["name"]);
  CHECK(sim.vim_get("VirtualMachine/" + a + "/datastore").body.is_array());
  CHECK(sim.vim_get("VirtualMachine/" + a + "/snapshot").body["_typeName"] == "VirtualMachineSnapshotInfo");
  CHECK(sim.vim_get("VirtualMachine/" + b + "/snapshot").status == 204);
  CHECK(sim.vim_get("VirtualMachine/" + a + "/config").body["hardware"]["numCPU"] == with["cpus"]);
  CHECK(sim.vim_get("VirtualMachine/" + a + "/config.hardware").status == 404);
  CHECK(sim.vim_get("VirtualMachine/" + a + "/nonsense").status == 404);
  CHECK(sim.vim("VirtualMachine/" + a + "/Nonsense_Task").status == 404);
  CHECK(sim.send("DELETE", "/sdk/vim25/8.0.2.0/VirtualMachine/" + a + "/name").status == 404);
}

TEST_CASE("a VM whose configuration cannot be read has none") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json all = sim.state();
  std::string id;
  for (const Json& vm : all["vms"]) {
    if (!vm["accessible"]) id = vm["id"];
  }
  REQUIRE_FALSE(id.empty());
  CHECK(sim.vim_get("VirtualMachine/" + id + "/config").status == 204);
  CHECK(sim.vim_get("VirtualMachine/" + id + "/runtime").body["connectionState"] == "inaccessible");
  CHECK_FALSE(sim.vim_get("VirtualMachine/" + id + "/summary").body["config"].contains("numCpu"));
  const Json body = request_for(reference("VirtualMachine", id), Json::array(),
                                properties("VirtualMachine", {"config.hardware.numCPU"}));
  Json direct = body;
  direct["specSet"][0]["objectSet"][0]["skip"] = false;
  CHECK_FALSE(sim.vim(kRetrieve, direct).body["objects"][0].contains("propSet"));
}

TEST_CASE("parameters are checked: missing, wrong, unknown, untyped") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string path = "VirtualMachine/" + sim.powered("POWERED_OFF") + "/";
  const auto snapshot = [&](const Json& body) {
    return fault_of(sim.vim(path + "CreateSnapshot_Task", body));
  };
  CHECK(snapshot({{"name", "x"}, {"quiesce", false}}) == "InvalidArgument");
  CHECK(snapshot({{"name", 7}, {"memory", false}, {"quiesce", false}}) == "InvalidArgument");
  CHECK(snapshot({{"name", "x"}, {"memory", false}, {"quiesce", false}, {"colour", "red"}}) ==
        "InvalidArgument");
  CHECK(fault_of(sim.vim(path + "ReconfigVM_Task", {{"spec", {{"numCPUs", 2}}}})) == "InvalidRequest");
  const Json unknown = {{"spec", {{"_typeName", "VirtualMachineConfigSpec"}, {"annotation", "x"}}}};
  CHECK(fault_of(sim.vim(path + "ReconfigVM_Task", unknown)) == "NotSupported");
  Request broken;
  broken.method = "POST";
  broken.path = "/sdk/vim25/8.0.2.0/" + path + "PowerOnVM_Task";
  broken.headers = {{"vmware-api-session-id", sim.session()}};
  for (const char* body : {"{", "[1]", "null"}) {
    broken.body = body;
    CHECK(fault_of(sim.raw(broken)) == "InvalidRequest");
  }
}

TEST_CASE("what the state forbids shows in the task, with the states") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const auto end_of = [&](const std::string& target, const Json& body = Json::object()) {
    const Exchanged started = sim.vim(target, body);
    REQUIRE(started.status == 200);
    return sim.vim_get("Task/" + started.body["value"].get<std::string>() + "/info").body;
  };
  const std::string on = sim.powered("POWERED_ON");
  const Json again = end_of("VirtualMachine/" + on + "/PowerOnVM_Task");
  CHECK(again["state"] == "error");
  CHECK(again["error"]["fault"]["_typeName"] == "InvalidPowerState");
  CHECK(again["error"]["fault"]["existingState"] == "poweredOn");
  CHECK(end_of("VirtualMachine/" + on + "/Destroy_Task")["error"]["fault"]["_typeName"] ==
        "InvalidPowerState");
  const Json spec = {
      {"spec", {{"_typeName", "VirtualMachineConfigSpec"}, {"numCPUs", 3}, {"numCoresPerSocket", 2}}}};
  CHECK(end_of("VirtualMachine/" + on + "/ReconfigVM_Task", spec)["error"]["fault"]["_typeName"] ==
        "InvalidArgument");
  CHECK(end_of("VirtualMachine/" + on + "/PowerOffVM_Task")["state"] == "success");
  const Json resize = {{"spec",
                        {{"_typeName", "VirtualMachineConfigSpec"},
                         {"numCPUs", 6},
                         {"numCoresPerSocket", 3},
                         {"memoryMB", 12'288}}}};
  CHECK(end_of("VirtualMachine/" + on + "/ReconfigVM_Task", resize)["state"] == "success");
  CHECK(sim.vm(on)["cpus"] == 6);
  CHECK(sim.vm(on)["cores_per_socket"] == 3);
  CHECK(sim.vm(on)["memory_mb"] == 12'288);
  CHECK(end_of("VirtualMachine/" + on + "/Destroy_Task")["state"] == "success");
  CHECK(fault_of(sim.vim("VirtualMachine/" + on + "/PowerOnVM_Task")) == "ManagedObjectNotFound");
}

}  // namespace vmcp::simulator
