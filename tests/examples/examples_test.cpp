// One server with every example: what their tools answer through its whole chain, against what its vCenter
// holds. The truth is read from the vCenter itself, by vim25.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;
namespace fs = std::filesystem;

namespace {

struct Example {
  const char *folder, *plugin, *tool;
};
const Example kExamples[] = {{"minimal_c", "uptime", "show_vm_uptime"},
                             {"minimal_cpp", "guests", "count_vms_by_guest"},
                             {"rightsizing", "rightsizing", "report_vm_rightsizing"},
#if VMCP_RUST_EXAMPLE
                             {"rust", "hosts", "list_host_releases"}
#endif
};

// A server's plugin folder and the configuration that trusts what lies in it.
class Examples {
 public:
  Examples() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-examples-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    std::ofstream config(folder_ + "/examples.toml");
    config << "[plugins]\ndir = \"" << folder_ << "\"\ntrust = \"dev\"\n";
    for (const Example& example : kExamples) {
      for (const char* ending : {".so", ".vmcp.json"}) {
        const std::string file = std::string(example.plugin) + ending;
        fs::copy_file(fs::path(VMCP_EXAMPLES) / example.folder / "build" / file, fs::path(folder_) / file);
      }
      config << "[[plugin]]\nid = \"org.example." << example.plugin
             << "\"\nisolation = \"inprocess\"\nrequired = true\n";
    }
  }
  ~Examples() { fs::remove_all(folder_); }

  ServerOptions options() const {
    ServerOptions out;
    out.arguments = {"serve", "--demo", "--listen", "127.0.0.1:0", "--config", folder_ + "/examples.toml"};
    out.environment = {{"RATE_LIMIT", "false"}};
    return out;
  }

 private:
  std::string folder_;
};

// The embedded vCenter, past the server.
class Truth {
 public:
  explicit Truth(std::uint16_t port) : port_(port) {
    const Answer in = send(port, "POST", "/sdk/vim25/8.0.2.0/SessionManager/SessionManager/Login",
                           {{"Content-Type", "application/json"}},
                           R"({"userName":"demo@vsphere.local","password":"demo"})");
    REQUIRE_MESSAGE(in.status == 200, in.body);
    session_ = in.headers.at("vmware-api-session-id");
  }

  Json state() const { return get("/simulator/state"); }
  // Every VM's summary as vim25 gives it, by id.
  std::map<std::string, Json> summaries() const {
    std::map<std::string, Json> out;
    const Json all = state();
    for (const Json& vm : all["vms"]) out[vm["id"]] = property("VirtualMachine", vm["id"], "summary");
    return out;
  }
  Json property(const std::string& type, const std::string& id, const std::string& name) const {
    return get("/sdk/vim25/8.0.2.0/" + type + "/" + id + "/" + name);
  }

 private:
  Json get(const std::string& path) const {
    const Answer a = send(port_, "GET", path, {{"vmware-api-session-id", session_}}, "");
    REQUIRE_MESSAGE(a.status == 200, path << ": " << a.body);
    return a.json();
  }

  std::uint16_t port_;
  std::string session_;
};

struct World {
  Examples examples;
  ServerProcess server{examples.options()};
  Truth truth{server.simulator_port()};

  Json ok(const std::string& tool, const Json& arguments) {
    const Answer a = call_tool(server.port(), "demo-admin", tool, arguments);
    const Json result = a.json().value("result", Json::object());
    REQUIRE_MESSAGE((a.status == 200 && !result.value("isError", false)), tool << ": " << a.body);
    return result.value("structuredContent", Json::object());
  }
};

double percent(const Json& used, const Json& of) {
  return std::round(used.get<double>() / of.get<double>() * 1000) / 10;
}

struct Thresholds {
  double cpu_low = 20, cpu_high = 80, memory_low = 20, memory_high = 80;
};

// The row that one VM's summary should have; null when it should have none.
Json expected_row(const std::string& id, const Json& summary, const Thresholds& t) {
  const Json &config = summary["config"], &stats = summary["quickStats"], &runtime = summary["runtime"];
  if (runtime["powerState"] != "poweredOn" || !config.contains("numCpu")) return Json();
  const double cpu = percent(stats["overallCpuUsage"], runtime["maxCpuUsage"]);
  const double memory = percent(stats["guestMemoryUsage"], config["memorySizeMB"]);
  const bool grow = cpu > t.cpu_high || memory > t.memory_high;
  const bool shrink =
      (cpu < t.cpu_low && config["numCpu"] > 1) || (memory < t.memory_low && config["memorySizeMB"] > 1024);
  return {{"vm", id},
          {"name", config["name"]},
          {"cpu", {{"configured", config["numCpu"]}, {"used_percent", cpu}}},
          {"memory", {{"configured_MiB", config["memorySizeMB"]}, {"used_percent", memory}}},
          {"advice", grow     ? "grow"
                     : shrink ? "shrink"
                              : "keep"}};
}

void check_report(const Json& report, const std::map<std::string, Json>& summaries, const Thresholds& t) {
  std::map<std::string, Json> expected;
  std::map<std::string, int> advice = {{"grow", 0}, {"keep", 0}, {"shrink", 0}}, power;
  for (const auto& [id, summary] : summaries) {
    ++power[summary["runtime"]["powerState"]];
    const Json row = expected_row(id, summary, t);
    if (row.is_null()) continue;
    expected[id] = row;
    ++advice[row["advice"]];
  }
  CHECK(report["measured"] == expected.size());
  CHECK(report["skipped"]["powered_off"] == power["poweredOff"]);
  CHECK(report["skipped"]["suspended"] == power["suspended"]);
  CHECK(report["skipped"]["not_measured"] == power["poweredOn"] - static_cast<int>(expected.size()));
  CHECK(report["advice"] == Json(advice));
  CHECK(report["vms"].size() == expected.size());
  for (Json row : report["vms"]) {
    CHECK(row["why"].get<std::string>().size() > 10);
    row.erase("why");
    CHECK(row == expected[row["vm"]]);
  }
}

}  // namespace

TEST_CASE("examples: the rightsizing report says what the vCenter measures") {
  World w;
  const Thresholds t{30, 50, 25, 50};
  const Json arguments = {{"cpu_shrink_below", 30},
                          {"cpu_grow_above", 50},
                          {"memory_shrink_below", 25},
                          {"memory_grow_above", 50},
                          {"limit", 500}};
  // The figures move every 20 seconds: a report between two equal readings is of the same moment.
  Json report;
  std::map<std::string, Json> before, after;
  const auto figures = [](const std::map<std::string, Json>& of) {
    Json out = Json::array();
    for (const auto& [id, summary] : of)
      out.push_back({summary["quickStats"]["overallCpuUsage"], summary["quickStats"]["guestMemoryUsage"]});
    return out;
  };
  for (int attempt = 0; attempt < 5; ++attempt) {
    before = w.truth.summaries();
    report = w.ok("report_vm_rightsizing", arguments);
    after = w.truth.summaries();
    if (figures(before) == figures(after)) break;
  }
  REQUIRE(figures(before) == figures(after));
  REQUIRE(before.size() == 120);
  check_report(report, before, t);
  for (const char* advice : {"grow", "shrink", "keep"}) CHECK(report["advice"][advice] > 0);
  CHECK(report["skipped"]["powered_off"] > 0);
  CHECK_FALSE(report["truncated"]);

  const Json three = w.ok("report_vm_rightsizing", {{"limit", 3}});
  CHECK(three["returned"] == 3);
  CHECK(three["truncated"] == true);
  CHECK(three["measured"] == report["measured"]);
  bool audited = false;
  for (const Json& line : w.server.audit())
    audited = audited || line.value("tool", "") == "report_vm_rightsizing";
  CHECK(audited);
}

TEST_CASE(
    "examples: the rightsizing report is narrowed by clusters and names, and refuses thresholds that cross") {
  World w;
  const Json vms = w.truth.state()["vms"];
  const std::string cluster = vms[0]["cluster"];
  std::vector<std::string> inside;
  for (const Json& vm : vms)
    if (vm["cluster"] == cluster && vm["power"] == "POWERED_ON" && vm["accessible"] == true)
      inside.push_back(vm["id"]);
  const std::string name = w.truth.property("ClusterComputeResource", cluster, "name");
  const Json report = w.ok("report_vm_rightsizing", {{"clusters", {name}}, {"limit", 500}});
  std::vector<std::string> reported;
  for (const Json& row : report["vms"]) reported.push_back(row["vm"]);
  std::sort(inside.begin(), inside.end());
  std::sort(reported.begin(), reported.end());
  CHECK(reported == inside);

  const std::string prefix = vms[0]["name"].get<std::string>().substr(0, 3);
  const Json named = w.ok("report_vm_rightsizing", {{"names", {prefix + "*"}}, {"limit", 500}});
  for (const Json& row : named["vms"]) CHECK(row["name"].get<std::string>().rfind(prefix, 0) == 0);
  const auto begins = [&](const Json& vm) { return vm["name"].get<std::string>().rfind(prefix, 0) == 0; };
  const Json& skipped = named["skipped"];
  CHECK(named["measured"].get<int>() + skipped["powered_off"].get<int>() + skipped["suspended"].get<int>() +
            skipped["not_measured"].get<int>() ==
        std::count_if(vms.begin(), vms.end(), begins));

  const Answer crossed = call_tool(w.server.port(), "demo-admin", "report_vm_rightsizing",
                                   {{"cpu_shrink_below", 60}, {"cpu_grow_above", 55}});
  CHECK_MESSAGE(crossed.body.find("cpu_shrink_below") != std::string::npos, crossed.body);
  CHECK(crossed.body.find("structuredContent") == std::string::npos);
}

TEST_CASE("examples: the small ones answer what the vCenter holds, to who may ask") {
  World w;
  const Json state = w.truth.state();
  std::map<std::string, int> guests;
  for (const auto& [id, summary] : w.truth.summaries())
    ++guests[summary["config"].value("guestFullName", "unknown")];
  const Json counted = w.ok("count_vms_by_guest", Json::object());
  CHECK(counted["total"] == state["vms"].size());
  CHECK(counted["guests"] == Json(guests));

  const Json vms = state["vms"];
  const auto running =
      std::find_if(vms.begin(), vms.end(), [](const Json& vm) { return vm["power"] == "POWERED_ON"; });
  REQUIRE(running != vms.end());
  Json uptime = w.ok("show_vm_uptime", {{"vm_id", (*running)["path"]}});
  CHECK(uptime["id"] == (*running)["id"]);
  const Json runtime = w.truth.property("VirtualMachine", uptime["id"], "runtime");
  CHECK(uptime["properties"]["runtime.powerState"] == "poweredOn");
  CHECK(uptime["properties"]["runtime.bootTime"] == runtime["bootTime"]);
  CHECK(uptime["properties"]["summary.quickStats.uptimeSeconds"] > 0);

#if VMCP_RUST_EXAMPLE
  const Json hosts = w.ok("list_host_releases", Json::object());
  CHECK(hosts["total"] == state["hosts"].size());
  for (Json host : hosts["objects"]) {
    const Json summary = w.truth.property("HostSystem", host["id"], "summary");
    CHECK(host["properties"]["summary.config.product.fullName"] == summary["config"]["product"]["fullName"]);
  }
#endif

  for (const Example& example : kExamples) {
    const Answer stranger = call_tool(w.server.port(), "nobody-s-token", example.tool, Json::object());
    CHECK_MESSAGE(stranger.status == 401, example.tool << ": " << stranger.body);
  }
  CHECK(w.server.stop() == 0);
}
