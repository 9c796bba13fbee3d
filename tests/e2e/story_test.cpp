// One day of an operator, through the real program; the truth is read from the vCenter, never through our own
// tools.
#include <doctest/doctest.h>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

struct Story {
  static ServerOptions unlimited(const std::string& api_mode) {
    ServerOptions options;
    options.environment["RATE_LIMIT"] = "false";
    options.environment["VSPHERE_API_MODE"] = api_mode;
    return options;
  }
  explicit Story(const std::string& api_mode = "api") : server(unlimited(api_mode)) {}
  ServerProcess server;

  Json ok(const std::string& tool, const Json& arguments, const std::string& token = "demo-admin") {
    const Answer a = call_tool(server.port(), token, tool, arguments);
    const Json result = a.json().value("result", Json::object());
    CHECK_MESSAGE((a.status == 200 && !result.value("isError", false)), tool << ": " << a.body);
    const Json content = result.value("structuredContent", Json::object());
    CHECK_MESSAGE(content.value("ok", false), a.body);
    CHECK(content.value("meta", Json::object()).contains("host"));
    return content;
  }
  std::string refused(const std::string& tool, const Json& arguments,
                      const std::string& token = "demo-admin") {
    const Answer a = call_tool(server.port(), token, tool, arguments);
    const Json result = a.json().value("result", Json::object());
    CHECK_MESSAGE((a.status == 200 && result.value("isError", false)), tool << ": " << a.body);
    CHECK_FALSE(result.contains("structuredContent"));
    return result["content"][0].value("text", "");
  }
  Json truth(const std::string& vm) {
    const Answer a = send(server.simulator_port(), "GET", "/simulator/state/vm/" + vm, {}, "");
    CHECK_MESSAGE(a.status == 200, a.body);
    return a.json();
  }
  // A powered-off VM without snapshots, and a running one.
  std::string pick(const std::string& power) {
    const Json list = ok("list_vms", {{"power_states", {power}}});
    for (const Json& vm : list["vms"]) {
      if (list.value("count", 0) == 0) break;
      const Json snapshots = ok("list_vm_snapshots", {{"vm_id", vm["vm"]}});
      if (snapshots.value("count", 1) == 0) return vm["vm"];
    }
    FAIL("no VM of that state without snapshots");
    return {};
  }
};

}  // namespace

TEST_CASE("story: lists, details, power cycle") {
  Story s;
  const Json vms = s.ok("list_vms", {{"limit", 5}}, "demo-read");
  CHECK(vms["vms"].size() == 5);
  CHECK(vms.value("count", 0) == 5);
  const std::string vm = s.pick("POWERED_OFF");
  CHECK(s.truth(vm)["power"] == "POWERED_OFF");
  CHECK(s.ok("get_vm_details", {{"vm_id", vm}}, "demo-read").contains("vm"));
  s.ok("power_on_vm", {{"vm_id", vm}}, "demo-ops");
  CHECK(s.truth(vm)["power"] == "POWERED_ON");
  s.ok("power_on_vm", {{"vm_id", vm}}, "demo-ops");  // already there: success that says so
  s.ok("restart_vm", {{"vm_id", vm}}, "demo-ops");
  s.ok("power_off_vm", {{"vm_id", vm}}, "demo-ops");
  CHECK(s.truth(vm)["power"] == "POWERED_OFF");
  for (const char* tool : {"list_hosts", "list_datastores", "list_networks", "list_datacenters",
                           "get_datastore_usage", "get_resource_utilization_summary"})
    s.ok(tool, Json::object(), "demo-read");
}

TEST_CASE("story: snapshots come and go") {
  Story s;
  const std::string vm = s.pick("POWERED_ON");
  s.ok("create_vm_snapshot",
       {{"vm_id", vm}, {"snapshot_name", "before-change"}, {"description", "the story's"}}, "demo-ops");
  CHECK(s.truth(vm)["snapshots"].dump().find("before-change") != std::string::npos);
  const Json list = s.ok("list_vm_snapshots", {{"vm_id", vm}}, "demo-read");
  REQUIRE(list.value("count", 0) == 1);
  CHECK(list.dump().find("before-change") != std::string::npos);
  const Json by_name = {{"vm_id", vm}, {"snapshot_id", "before-change"}};
  CHECK(s.refused("delete_vm_snapshot", by_name).find("confirm") != std::string::npos);
  Json confirmed = by_name;
  confirmed["confirm"] = true;
  s.ok("delete_vm_snapshot", confirmed);
  CHECK(s.truth(vm)["snapshots"].dump().find("before-change") == std::string::npos);
}

TEST_CASE("story: resize, with the rules explained, and delete") {
  Story s;
  const std::string running = s.pick("POWERED_ON");
  s.ok("power_off_vm", {{"vm_id", running}});
  const std::string vm = running;
  const auto settings = [&] {
    const Json t = s.truth(vm);
    return Json{{"cpus", t["cpus"]}, {"memory_mb", t["memory_mb"]}, {"power", t["power"]}};
  };
  const Json before = settings();
  CHECK(s.refused("modify_vm_resources", {{"vm_id", vm}, {"cpu_count", 2}}).find("confirm") !=
        std::string::npos);
  const Json preview = s.ok("modify_vm_resources", {{"vm_id", vm}, {"memory_mib", 8192}, {"dry_run", true}});
  CHECK(preview.value("dry_run", false));
  CHECK(settings() == before);
  s.ok("modify_vm_resources", {{"vm_id", vm}, {"cpu_count", 4}, {"memory_gb", 6}, {"confirm", true}});
  const Json after = s.truth(vm);
  CHECK(after["cpus"] == 4);
  CHECK(after["memory_mb"] == 6144);

  s.ok("power_on_vm", {{"vm_id", vm}});
  CHECK(s.refused("delete_vm", {{"vm_id", vm}, {"confirm", true}}).find("power") != std::string::npos);
  CHECK(s.truth(vm)["power"] == "POWERED_ON");  // never powered off silently
  s.ok("power_off_vm", {{"vm_id", vm}});
  s.ok("delete_vm", {{"vm_id", vm}, {"confirm", true}});
  CHECK(send(s.server.simulator_port(), "GET", "/simulator/state/vm/" + vm, {}, "").status == 404);
}

TEST_CASE("story: every dry_run leaves the vCenter untouched") {
  Story s;
  const std::string off = s.pick("POWERED_OFF");
  const std::string on = s.pick("POWERED_ON");
  send(s.server.simulator_port(), "POST", "/simulator/requests/reset", {}, "");
  s.ok("power_on_vm", {{"vm_id", off}, {"dry_run", true}});
  s.ok("power_off_vm", {{"vm_id", on}, {"dry_run", true}});
  s.ok("restart_vm", {{"vm_id", on}, {"dry_run", true}});
  s.ok("delete_vm", {{"vm_id", off}, {"dry_run", true}});
  s.ok("create_vm_snapshot", {{"vm_id", on}, {"snapshot_name", "x"}, {"dry_run", true}});
  s.ok("modify_vm_resources", {{"vm_id", off}, {"cpu_count", 2}, {"dry_run", true}});
  const Json requests = send(s.server.simulator_port(), "GET", "/simulator/requests", {}, "").json();
  CHECK_MESSAGE(requests.value("changing", -1) == 0, requests.dump());
}

TEST_CASE("story: the /rest dialect does the same") {
  Story s("rest");
  const std::string vm = s.pick("POWERED_OFF");
  CHECK(s.ok("get_vm_details", {{"vm_id", vm}}, "demo-read")["vm"].contains("disks"));
  s.ok("modify_vm_resources", {{"vm_id", vm}, {"cpu_count", 2}, {"memory_mib", 4096}, {"confirm", true}});
  CHECK(s.truth(vm)["cpus"] == 2);
  CHECK(s.truth(vm)["memory_mb"] == 4096);
  s.ok("power_on_vm", {{"vm_id", vm}});
  CHECK(s.truth(vm)["power"] == "POWERED_ON");
  s.ok("power_off_vm", {{"vm_id", vm}});
  s.ok("power_off_vm", {{"vm_id", vm}});
  s.ok("delete_vm", {{"vm_id", vm}, {"confirm", true}});
  CHECK(send(s.server.simulator_port(), "GET", "/simulator/state/vm/" + vm, {}, "").status == 404);
}

TEST_CASE("story: every reading tool answers verbosely too, in both dialects") {
  for (const char* mode : {"api", "rest"}) {
    CAPTURE(mode);
    Story s(mode);
    const std::string vm = s.ok("list_vms", {{"limit", 1}})["vms"][0]["vm"];
    for (const char* tool : {"list_vms", "list_hosts", "list_datastores", "list_networks", "list_datacenters",
                             "get_datastore_usage", "get_resource_utilization_summary"})
      s.ok(tool, {{"verbose", true}});
    for (const char* tool : {"get_vm_details", "list_vm_snapshots"})
      s.ok(tool, {{"vm_id", vm}, {"verbose", true}});
  }
}
