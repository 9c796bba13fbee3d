#include <algorithm>

#include "simulated.h"

namespace vmcp::simulator {

TEST_CASE("a login gives a session that works until logout") {
  Simulated sim;
  CHECK(sim.get("/api/session").status == 401);
  REQUIRE(sim.login() == 201);
  const Exchanged info = sim.get("/api/session");
  CHECK(info.status == 200);
  CHECK(info.body["user"] == "demo@vsphere.local");
  CHECK(sim.post("/rest/com/vmware/cis/session?~action=get").body["value"]["user"] == "demo@vsphere.local");
  CHECK(sim.send("DELETE", "/api/session").status == 204);
  CHECK(sim.get("/api/session").status == 401);
}

TEST_CASE("a wrong password is 401 with the documented message") {
  Simulated sim;
  CHECK(sim.login("demo@vsphere.local", "wrong") == 401);
  CHECK(sim.login("nobody@vsphere.local", "demo") == 401);
  const Exchanged answer = sim.post("/api/session");
  CHECK(answer.body["error_type"] == "UNAUTHENTICATED");
  CHECK(answer.body["messages"][0]["id"] == "com.vmware.vapi.endpoint.method.authentication.required");
  const Exchanged rest = sim.post("/rest/com/vmware/cis/session");
  CHECK(rest.status == 401);
  CHECK(rest.body["type"] == "com.vmware.vapi.std.errors.unauthenticated");
  CHECK(rest.body["value"]["messages"][0]["id"] == "com.vmware.vapi.endpoint.method.authentication.required");
}

TEST_CASE("an unknown path is 404, a real one without session 401") {
  Simulated sim;
  const Exchanged unknown = sim.get("/api/vcenter/vm/vm-1002/snapshot");
  CHECK(unknown.status == 404);
  CHECK(unknown.body["messages"][0]["id"] == "com.vmware.vapi.rest.httpNotFound");
  CHECK(sim.get("/api/vcenter/vm/vm-1002").status == 401);
  CHECK(sim.post("/api/vcenter/vm/vm-1002/power/start").status == 404);  // the /rest spelling
  CHECK(sim.post("/rest/vcenter/vm/vm-1002/power?action=start").status == 404);
  CHECK(sim.get("/api/about").status == 404);
  CHECK(sim.get("/").status == 404);
}

TEST_CASE("the VM list filters: values of one parameter are alternatives, parameters add up") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json all = sim.get("/api/vcenter/vm").body;
  const Json on = sim.get("/api/vcenter/vm?power_states=POWERED_ON").body;
  const Json off = sim.get("/api/vcenter/vm?power_states=POWERED_OFF").body;
  const Json both = sim.get("/api/vcenter/vm?power_states=POWERED_ON&power_states=POWERED_OFF").body;
  CHECK(both.size() == on.size() + off.size());
  CHECK(all.size() > both.size());
  for (const Json& vm : on) CHECK(vm["power_state"] == "POWERED_ON");

  const Json state = sim.vm(on[0]["vm"]);
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> out;
    for (const Json& vm : sim.get("/api/vcenter/vm?" + query).body) out.push_back(vm["vm"]);
    return out;
  };
  const std::string id = state["id"];
  for (const char* filter : {"hosts=", "clusters=", "datacenters=", "folders="}) {
    const std::string name = std::string(filter).substr(0, std::string(filter).size() - 2);
    const auto found = ids(filter + state[name].get<std::string>());
    CHECK(std::find(found.begin(), found.end(), id) != found.end());
    CHECK(found.size() < all.size());
  }
  CHECK(ids("vms=" + id + "&power_states=POWERED_OFF").empty());
  CHECK(ids("vms=" + id + "&power_states=POWERED_ON") == std::vector<std::string>{id});
  CHECK(ids("names=nobody").empty());
  CHECK(sim.get("/api/vcenter/vm?power_states=ON").body["error_type"] == "INVALID_ARGUMENT");
}

TEST_CASE("templates are no VMs to this API, unreadable VMs have no size") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json vms = sim.state()["vms"];
  std::string unreadable;
  for (const Json& vm : vms) {
    const std::string id = vm["id"];
    if (vm["template"]) {
      CHECK(sim.get("/api/vcenter/vm?vms=" + id).body.empty());
      CHECK(sim.get("/api/vcenter/vm/" + id).status == 404);
      CHECK(sim.post("/api/vcenter/vm/" + id + "/power?action=start").body["error_type"] == "UNSUPPORTED");
    }
    if (!vm["accessible"]) unreadable = id;
  }
  REQUIRE_FALSE(unreadable.empty());
  const Json item = sim.get("/api/vcenter/vm?vms=" + unreadable).body[0];
  CHECK_FALSE(item.contains("cpu_count"));
  CHECK(sim.get("/api/vcenter/vm/" + unreadable).body["error_type"] == "RESOURCE_INACCESSIBLE");
}

TEST_CASE("more than 4000 matches is the documented error, in each dialect's status") {
  Settings many = instant();
  many.vms = 4200;
  Simulated sim(many);
  REQUIRE(sim.login() == 201);
  const Exchanged api = sim.get("/api/vcenter/vm");
  CHECK(api.status == 500);
  CHECK(api.body["error_type"] == "UNABLE_TO_ALLOCATE_RESOURCE");
  CHECK(api.body["messages"][0]["id"] == "com.vmware.api.vcenter.vm.too_many_matches");
  CHECK(sim.get("/rest/vcenter/vm").status == 400);
  CHECK(sim.get("/api/vcenter/vm?power_states=SUSPENDED").status == 200);
}

TEST_CASE("the rest dialect wraps values, lists its maps and prefixes its filters") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string id = sim.powered("POWERED_OFF");
  const Json api = sim.get("/api/vcenter/vm/" + id).body;
  const Json rest = sim.get("/rest/vcenter/vm/" + id).body["value"];
  CHECK(api["disks"].contains("2000"));
  CHECK(rest["disks"][0]["key"] == "2000");
  CHECK(rest["disks"][0]["value"] == api["disks"]["2000"]);
  CHECK(rest["cpu"] == api["cpu"]);
  CHECK(sim.get("/rest/vcenter/vm?filter.vms=" + id).body["value"].size() == 1);
  CHECK(sim.get("/rest/vcenter/vm?filter.vms.1=" + id).body["value"].size() == 1);
  CHECK(sim.get("/rest/vcenter/vm?vms=" + id).status == 400);
  CHECK(sim.get("/api/vcenter/vm?filter.vms=" + id).status == 400);
  const Exchanged started = sim.post("/rest/vcenter/vm/" + id + "/power/start");
  CHECK(started.status == 200);
  CHECK(started.text.empty());
  const Exchanged again = sim.post("/rest/vcenter/vm/" + id + "/power/start");
  CHECK(again.status == 400);
  CHECK(again.body["type"] == "com.vmware.vapi.std.errors.already_in_desired_state");
  CHECK(again.body["value"]["error_type"] == "ALREADY_IN_DESIRED_STATE");
  CHECK(sim.send("PATCH", "/rest/vcenter/vm/" + id + "/hardware/cpu", {{"count", 2}}).status == 400);
}

TEST_CASE("the rest login sets a cookie that is a session, unless asked for header authentication") {
  Simulated sim;
  Request request;
  request.method = "POST";
  request.path = "/rest/com/vmware/cis/session";
  request.headers = {{"Authorization", "Basic " + base64_encode("demo@vsphere.local:demo")}};
  const Exchanged login = sim.raw(request);
  CHECK(login.status == 200);
  const std::string id = login.body["value"];
  Request list;
  list.method = "GET";
  list.path = "/rest/vcenter/host";
  list.headers = {{"Cookie", "a=b; vmware-api-session-id=" + id + "; c=d"}};
  CHECK(sim.raw(list).status == 200);
  request.headers.emplace_back("vmware-use-header-authn", "true");
  for (const auto& [name, value] : sim.raw(request).headers) CHECK(name != "Set-Cookie");
}

TEST_CASE("each power call does what it says and refuses what the state forbids") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string id = sim.powered("POWERED_ON");
  const auto call = [&](const std::string& action) {
    const Exchanged answer = sim.post("/api/vcenter/vm/" + id + "/power?action=" + action);
    return answer.status == 204 ? sim.vm(id)["power"].get<std::string>()
                                : answer.body["error_type"].get<std::string>();
  };
  CHECK(call("start") == "ALREADY_IN_DESIRED_STATE");
  CHECK(call("reset") == "POWERED_ON");
  CHECK(call("suspend") == "SUSPENDED");
  CHECK(call("suspend") == "ALREADY_IN_DESIRED_STATE");
  CHECK(call("reset") == "NOT_ALLOWED_IN_CURRENT_STATE");
  CHECK(call("start") == "POWERED_ON");
  CHECK(call("stop") == "POWERED_OFF");
  CHECK(sim.get("/api/vcenter/vm/" + id + "/power").body ==
        Json({{"state", "POWERED_OFF"}, {"clean_power_off", false}}));
  CHECK(call("stop") == "ALREADY_IN_DESIRED_STATE");
  CHECK(call("suspend") == "NOT_ALLOWED_IN_CURRENT_STATE");
  CHECK(call("reset") == "NOT_ALLOWED_IN_CURRENT_STATE");
  CHECK(sim.post("/api/vcenter/vm/vm-999999/power?action=stop").body["error_type"] == "NOT_FOUND");
}

TEST_CASE("guest calls need running tools, and a shutdown ends in a clean power-off") {
  Settings slow;
  slow.task_time = milliseconds(5000);
  Simulated sim(slow);
  REQUIRE(sim.login() == 201);
  const Json with = sim.find_vm([](const Json& v) { return v["tools_running"]; });
  const Json without =
      sim.find_vm([](const Json& v) { return v["power"] == "POWERED_ON" && !v["tools_running"]; });
  const std::string id = with["id"];
  const std::string bare = without["id"];
  CHECK(sim.get("/api/vcenter/vm/" + id + "/guest/identity").body["full_name"].contains("default_message"));
  CHECK(sim.get("/api/vcenter/vm/" + bare + "/guest/identity").status == 503);
  CHECK(sim.post("/api/vcenter/vm/" + bare + "/guest/power?action=shutdown").body["error_type"] ==
        "SERVICE_UNAVAILABLE");
  CHECK(sim.get("/api/vcenter/vm/" + bare + "/tools").body["run_state"] == "NOT_RUNNING");
  CHECK(sim.post("/api/vcenter/vm/" + id + "/guest/power?action=shutdown").status == 204);
  CHECK(sim.get("/api/vcenter/vm/" + id + "/guest/power").body["state"] == "SHUTTING_DOWN");
  CHECK(sim.vm(id)["power"] == "POWERED_ON");
  sim.advance(5000);
  CHECK(sim.get("/api/vcenter/vm/" + id + "/power").body ==
        Json({{"state", "POWERED_OFF"}, {"clean_power_off", true}}));
  CHECK(sim.post("/api/vcenter/vm/" + id + "/guest/power?action=reboot").body["error_type"] ==
        "NOT_ALLOWED_IN_CURRENT_STATE");
}

TEST_CASE("a running VM grows only where hot-add allows it") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const auto running = [&](const char* flag, bool value) {
    return sim
        .find_vm([&](const Json& v) {
          return v["power"] == "POWERED_ON" && v[flag] == value && !v["cpu_hot_remove"] &&
                 v["cores_per_socket"] == 1;
        })["id"]
        .get<std::string>();
  };
  const auto patch = [&](const std::string& id, const char* what, const Json& body) {
    const Exchanged answer = sim.send("PATCH", "/api/vcenter/vm/" + id + "/hardware/" + what, body);
    return answer.status == 204 ? std::string("ok") : answer.body["error_type"].get<std::string>();
  };
  const std::string fixed = running("cpu_hot_add", false);
  CHECK(patch(fixed, "cpu", {{"count", 8}}) == "NOT_ALLOWED_IN_CURRENT_STATE");
  const std::string hot = running("cpu_hot_add", true);
  CHECK(patch(hot, "cpu", {{"count", 8}}) == "ok");
  CHECK(sim.get("/api/vcenter/vm/" + hot + "/hardware/cpu").body["count"] == 8);
  CHECK(patch(hot, "cpu", {{"count", 4}}) == "NOT_ALLOWED_IN_CURRENT_STATE");
  CHECK(patch(hot, "cpu", {{"hot_add_enabled", false}}) == "NOT_ALLOWED_IN_CURRENT_STATE");

  const std::string cold = running("memory_hot_add", false);
  CHECK(patch(cold, "memory", {{"size_MiB", 65'536}}) == "NOT_ALLOWED_IN_CURRENT_STATE");
  const std::string warm = running("memory_hot_add", true);
  const std::int64_t size = sim.vm(warm)["memory_mb"];
  CHECK(sim.get("/api/vcenter/vm/" + warm + "/hardware/memory").body["hot_add_increment_size_MiB"] == 128);
  CHECK(patch(warm, "memory", {{"size_MiB", size + 64}}) == "INVALID_ARGUMENT");
  CHECK(patch(warm, "memory", {{"size_MiB", size + 256}}) == "ok");
  CHECK(patch(warm, "memory", {{"size_MiB", size}}) == "NOT_ALLOWED_IN_CURRENT_STATE");
}

TEST_CASE("a VM that is off takes any valid size and refuses the others") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string id = sim.powered("POWERED_OFF");
  const auto patch = [&](const char* what, const Json& body) {
    const Exchanged answer = sim.send("PATCH", "/api/vcenter/vm/" + id + "/hardware/" + what, body);
    return answer.status == 204 ? std::string("ok") : answer.body["error_type"].get<std::string>();
  };
  CHECK(patch("cpu", {{"count", 6}, {"cores_per_socket", 3}}) == "ok");
  CHECK(patch("cpu", {{"count", 7}}) == "INVALID_ARGUMENT");
  CHECK(patch("cpu", {{"count", 0}}) == "INVALID_ARGUMENT");
  CHECK(patch("cpu", {{"count", 1000}}) == "INVALID_ARGUMENT");
  CHECK(patch("cpu", {{"count", "6"}}) == "INVALID_ARGUMENT");
  CHECK(patch("cpu", {{"cpus", 6}}) == "UNEXPECTED_INPUT");
  CHECK(patch("cpu", {{"spec", {{"count", 6}}}}) == "UNEXPECTED_INPUT");
  CHECK(patch("memory", {{"size_MiB", 4097}}) == "INVALID_ARGUMENT");
  CHECK(patch("memory", {{"size_MiB", 4096}, {"hot_add_enabled", true}}) == "ok");
  CHECK(sim.vm(id)["cpus"] == 6);
  CHECK(sim.vm(id)["memory_mb"] == 4096);
  CHECK(sim.vm(id)["memory_hot_add"] == true);
}

TEST_CASE("a body that is no JSON object is refused") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  Request request;
  request.method = "PATCH";
  request.path = "/api/vcenter/vm/" + sim.powered("POWERED_OFF") + "/hardware/cpu";
  request.headers = {{"vmware-api-session-id", sim.session()}};
  for (const char* body : {"{", "[]", "7", "{\"count\":2}{}"}) {
    request.body = body;
    CHECK(sim.raw(request).status == 400);
  }
}

TEST_CASE("a running VM is not deleted, a stopped one is gone") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string on = sim.powered("POWERED_ON");
  const Exchanged refused = sim.send("DELETE", "/api/vcenter/vm/" + on);
  CHECK(refused.status == 400);
  CHECK(refused.body["error_type"] == "NOT_ALLOWED_IN_CURRENT_STATE");
  const std::string off = sim.powered("POWERED_OFF");
  CHECK(sim.send("DELETE", "/api/vcenter/vm/" + off).status == 204);
  CHECK(sim.get("/api/vcenter/vm/" + off).status == 404);
  const Json after = sim.state();
  for (const Json& vm : after["vms"]) CHECK(vm["id"] != off);
}

TEST_CASE("every list answers and filters by name") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  for (const char* kind :
       {"host", "datastore", "network", "datacenter", "cluster", "folder", "resource-pool"}) {
    const std::string path = std::string("/api/vcenter/") + kind;
    const Json all = sim.get(path).body;
    REQUIRE_FALSE(all.empty());
    std::string name = all[0]["name"];
    std::replace(name.begin(), name.end(), ' ', '+');
    const Json some = sim.get(path + "?names=" + name).body;
    CHECK_FALSE(some.empty());
    CHECK(some[0]["name"] == all[0]["name"]);
    CHECK(sim.get(path + "?names=none").body.empty());
    CHECK(sim.get(path + "?colour=red").status == 400);
    CHECK(sim.get("/rest/vcenter/" + std::string(kind)).body["value"] == all);
  }
  CHECK(sim.get("/api/vcenter/datastore?types=FLOPPY").status == 400);
  CHECK(sim.get("/api/vcenter/network?types=DISTRIBUTED_PORTGROUP").body.size() == 6);
  CHECK(sim.get("/api/vcenter/host?standalone=true").body.empty());
  CHECK(sim.get("/api/vcenter/folder?parent_folders=group-d1").body.empty());
}

TEST_CASE("single objects of the other kinds") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const auto first = [&](const char* kind, const char* key) {
    return sim.get(std::string("/api/vcenter/") + kind).body[0][key].get<std::string>();
  };
  const Json store = sim.get("/api/vcenter/datastore/" + first("datastore", "datastore")).body;
  CHECK(store["accessible"] == true);
  CHECK_FALSE(store.contains("capacity"));
  const Json site = sim.get("/api/vcenter/datacenter/" + first("datacenter", "datacenter")).body;
  CHECK(sim.get("/api/vcenter/folder?folders=" + site["vm_folder"].get<std::string>()).body[0]["type"] ==
        "VIRTUAL_MACHINE");
  const Json cluster = sim.get("/api/vcenter/cluster/" + first("cluster", "cluster")).body;
  const Json pool = sim.get("/api/vcenter/resource-pool/" + cluster["resource_pool"].get<std::string>()).body;
  CHECK(pool["name"] == "Resources");
  CHECK(pool["cpu_allocation"]["shares"]["level"] == "NORMAL");
  CHECK(sim.get("/api/vcenter/cluster/domain-c0").status == 404);
  CHECK(sim.get("/api/vcenter/host/host-1").status == 404);  // no such operation exists
}

TEST_CASE("hello agrees on the first release that both know") {
  Simulated sim;
  const auto hello = [&](const Json& releases) {
    return sim.post("/api/vcenter/system?action=hello", {{"api_releases", releases}});
  };
  CHECK(hello({"9.1.0.0", "8.0.3.0", "8.0.2.0", "8.0.1.0"}).body["api_release"] == "8.0.2.0");
  CHECK(hello({"8.0.1.0", "8.0.2.0"}).body["api_release"] == "8.0.1.0");
  CHECK(hello({"9.1.0.0"}).body["api_release"] == "");
  CHECK(hello(Json::array()).status == 400);
  CHECK(hello({std::string(65, '8')}).status == 400);
  CHECK(hello(Json(std::vector<std::string>(129, "8.0.2.0"))).status == 400);
}

TEST_CASE("a vim task is visible as an Automation task") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string task =
      sim.vim("VirtualMachine/" + sim.powered("POWERED_ON") + "/PowerOffVM_Task").body["value"];
  const Json info = sim.get("/api/cis/tasks/" + task + ":0a1b").body;
  CHECK(info["status"] == "SUCCEEDED");
  CHECK(sim.get("/rest/cis/tasks/" + task).body["value"]["status"] == "SUCCEEDED");
  CHECK(sim.post("/api/cis/tasks?action=list", {{"filter_spec", {{"tasks", {task}}}}}).body.contains(task));
  CHECK(sim.get("/api/cis/tasks/task-0").status == 404);
}

}  // namespace vmcp::simulator
