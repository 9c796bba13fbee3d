// The report against a host in memory, without a test framework.
#include <cstdio>
#include <string>
#include <vmcp/json.hpp>
#include <vmcp/testing.hpp>

namespace {

using vmcp::json;
const char* const kTool = "report_vm_rightsizing";

int failures = 0;
void expect(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

// A running one with two vCPUs of 2000 MHz each and 8 GiB.
json vm(const char* id, int cpu_mhz, int memory_mib) {
  return {{"id", id},
          {"kind", "vm"},
          {"name", std::string("name-of-") + id},
          {"properties",
           {{"runtime.powerState", "poweredOn"},
            {"runtime.maxCpuUsage", 4000},
            {"summary.config.numCpu", 2},
            {"summary.config.memorySizeMB", 8192},
            {"summary.quickStats.overallCpuUsage", cpu_mhz},
            {"summary.quickStats.guestMemoryUsage", memory_mib}}}};
}
json with(json object, const char* property, json value) {
  object["properties"][property] = std::move(value);
  return object;
}
json without(json object, const char* property) {
  object["properties"].erase(property);
  return object;
}

std::string page_of(const json& objects) {
  return json{
      {"objects", objects}, {"returned", objects.size()}, {"total", objects.size()}, {"truncated", false}}
      .dump();
}

// Listed in the order of the report.
json six() {
  json small = with(vm("small", 100, 500), "summary.config.numCpu", 1);
  return json::array({vm("starved", 3900, 2000), vm("full", 2000, 7000), vm("idle", 100, 4000),
                      vm("roomy", 2000, 1000), vm("right", 2000, 4000),
                      with(std::move(small), "summary.config.memorySizeMB", 1024)});
}

json row(const json& report, const char* id) {
  for (const json& vm : report["vms"])
    if (vm["vm"] == id) return vm;
  return json::object();
}

void advises() {
  vmcp::testing::host host;
  json objects = six();
  objects.push_back(with(vm("off", 0, 0), "runtime.powerState", "poweredOff"));
  objects.push_back(with(vm("asleep", 0, 0), "runtime.powerState", "suspended"));
  objects.push_back(without(vm("new", 0, 0), "summary.quickStats.overallCpuUsage"));
  objects.push_back(with(vm("limitless", 10, 10), "runtime.maxCpuUsage", 0));
  host.on_list("vm", page_of(objects));
  vmcp::testing::plugin plugin(host, vmcp_entry_v1());
  const auto answer = plugin.run(kTool);
  expect(answer.ok(), "it reports");
  const json report = json::parse(answer.json);
  expect(report["measured"] == 6 && report["returned"] == 6 && report["truncated"] == false, "it counts");
  expect(report["skipped"] == json({{"powered_off", 1}, {"suspended", 1}, {"not_measured", 2}}),
         "it says whom it left out");
  expect(report["advice"] == json({{"grow", 2}, {"shrink", 2}, {"keep", 2}}), "it sums up");
  std::string order;
  for (const json& one : report["vms"]) order += one["vm"].get<std::string>() + " ";
  expect(order == "starved full idle roomy right small ", "what matters most comes first");

  const json starved = row(report, "starved");
  expect(starved["cpu"] == json({{"configured", 2}, {"used_percent", 97.5}}), "CPU against what it may use");
  expect(starved["memory"] == json({{"configured_MiB", 8192}, {"used_percent", 24.4}}), "memory in MiB");
  expect(starved["why"] == "CPU: 97.5 % used, above 80 %.", "it says why one should grow");
  expect(row(report, "idle")["why"] == "CPU: 2.5 % used, below 20 %.", "it says why one should shrink");
  expect(row(report, "small")["why"] == "CPU: 2.5 % used, below 20 %, but it has the least already.",
         "it takes the last vCPU from nobody");
}

void heeds_arguments() {
  vmcp::testing::host host;
  host.on_list("vm", page_of(six()));
  vmcp::testing::plugin plugin(host, vmcp_entry_v1());
  const json cut = json::parse(plugin.run(kTool, R"({"limit":1})").json);
  expect(cut["returned"] == 1 && cut["truncated"] == true && cut["measured"] == 6,
         "the limit cuts rows only");

  const auto strict = plugin.run(kTool, R"({"cpu_shrink_below":50,"cpu_grow_above":99,"memory_shrink_below":0,
                                           "memory_grow_above":100,"names":["a*"],"clusters":["domain-c8"]})");
  expect(row(json::parse(strict.json), "starved")["advice"] == "keep", "thresholds decide");
  const json where = json::parse(host.bodies().back())["where"];
  expect(where == json({{"names", {"a*"}}, {"clusters", {"domain-c8"}}}), "filters go to the inventory");
}

void fails_with_words() {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, vmcp_entry_v1());
  host.refuse("list vm", vmcp::status::unavailable, "vCenter is not there.");
  const auto refused = plugin.run(kTool);
  expect(refused.status == vmcp::status::unavailable, "it hands on why vCenter failed");
  expect(refused.failure == "vCenter is not there.", "it hands on vCenter's words");

  // The host in memory gives the same page again and again: an inventory without end.
  json page = json::parse(page_of(six()));
  page["next"] = "more";
  host.on_list("vm", page.dump());
  const auto endless = plugin.run(kTool);
  expect(endless.status == vmcp::status::limit, "it ends");
  expect(endless.failure.find("narrow the report") != std::string::npos, "it says what to do");
  expect(endless.progress.size() == 20, "it tells how far it is");

  vmcp::testing::conditions cancelled;
  cancelled.cancel_at = 2;
  expect(plugin.run(kTool, "{}", cancelled).status == vmcp::status::cancelled,
         "it ends when it is cancelled");
}

}  // namespace

int main() {
  advises();
  heeds_arguments();
  fails_with_words();
  return failures == 0 ? 0 : 1;
}
