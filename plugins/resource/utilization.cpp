#include "common/answer.h"
#include "common/lookup.h"
#include "common/schema.h"
#include "resource/pool.h"
#include "resource/tools.h"

namespace vmcp::plugins::resource {

namespace {

const json kNoProperties = json::array();
const json kHostProperties = {"parent",
                              "datastore",
                              "runtime.connectionState",
                              "runtime.powerState",
                              "runtime.inMaintenanceMode",
                              "summary.hardware.cpuMhz",
                              "summary.hardware.numCpuCores",
                              "summary.hardware.memorySize",
                              "summary.quickStats.overallCpuUsage",
                              "summary.quickStats.overallMemoryUsage"};
const json kVmProperties = {"runtime.powerState", "runtime.host"};
const json kDatastoreProperties = {"summary.capacity", "summary.freeSpace", "summary.accessible"};

// A cluster, or the compute resource of one standalone host.
struct Group {
  std::string name;
  bool standalone = false;
  Pool pool;
};

struct Summary {
  Pool all;
  std::map<std::string, Group> groups;  // by the id of the compute resource
  std::map<std::string, std::string> group_of_host;
  std::map<std::string, DatastoreFigures> datastores;
  std::size_t unplaced_vms = 0;
};

void add_clusters(Summary& to, const json& objects) {
  for (const json& object : objects) {
    Group& group = to.groups[object.value("id", "")];
    group.name = object.value("name", "");
    group.standalone = object.value("type", "") == "ComputeResource";
  }
}

void add_hosts(Summary& to, const json& objects) {
  for (const json& object : objects) {
    const HostFigures figures = HostFigures::of(object);
    // A parent that the caller may not see still groups its hosts, without a name.
    const std::string parent = moref(property(object, "parent"));
    Group& group = to.groups[parent];
    to.group_of_host[object.value("id", "")] = parent;
    to.all.add_host(figures);
    group.pool.add_host(figures);
    const json mounted = property(object, "datastore");
    if (!mounted.is_array()) continue;
    for (const json& reference : mounted) group.pool.add_datastore(moref(reference));
  }
}

void add_vms(Summary& to, const json& objects) {
  for (const json& object : objects) {
    const std::string state = automation_enum(text_property(object, "runtime.powerState"));
    to.all.add_vm(state);
    const auto host = to.group_of_host.find(moref(property(object, "runtime.host")));
    if (host == to.group_of_host.end()) {
      ++to.unplaced_vms;
    } else {
      to.groups[host->second].pool.add_vm(state);
    }
  }
}

void add_datastores(Summary& to, const json& objects) {
  for (const json& object : objects) {
    const std::string id = object.value("id", "");
    to.all.add_datastore(id);
    const json capacity = property(object, "summary.capacity"), free = property(object, "summary.freeSpace");
    if (property(object, "summary.accessible") != true || !capacity.is_number() || !free.is_number())
      continue;
    to.datastores[id] = {capacity.get<double>() - free.get<double>(), capacity.get<double>()};
  }
}

json to_json(const Summary& summary) {
  json clusters = json::array();
  for (const auto& [id, group] : summary.groups) {
    json out{{"cluster", id}, {"name", group.name.empty() ? json("unavailable") : json(group.name)}};
    out["standalone"] = group.standalone;
    out.update(group.pool.to_json(summary.datastores));
    clusters.push_back(std::move(out));
  }
  json notes =
      json::array({"A datastore that several clusters share counts in each of them, and once in the total."});
  if (summary.unplaced_vms > 0)
    notes.push_back(std::to_string(summary.unplaced_vms) +
                    " VM(s) run on no host that can be seen: in the total only.");
  return {{"total", summary.all.to_json(summary.datastores)},
          {"clusters", std::move(clusters)},
          {"notes", std::move(notes)}};
}

status run_utilization(call& c, const args&) {
  Summary summary;
  const struct {
    const char* kind;
    const json& properties;
    void (*add)(Summary&, const json&);
  } steps[] = {{"cluster", kNoProperties, add_clusters},
               {"host", kHostProperties, add_hosts},
               {"vm", kVmProperties, add_vms},
               {"datastore", kDatastoreProperties, add_datastores}};
  for (const auto& step : steps) {
    const Objects found = list_all(c, {{"kind", step.kind}, {"properties", step.properties}});
    if (!found.source) return c.fail(found.source);
    step.add(summary, found.all);
  }
  return answer(c, "summary", to_json(summary));
}

json pool_properties() {
  // A figure that nobody could measure is the word "unavailable", never a zero.
  const json figure{{"type", {"object", "string"}}};
  return {{"cpu", figure},          {"memory", figure},
          {"storage", figure},      {"hosts", object_schema()},
          {"vms", object_schema()}, {"notes", {{"type", "array"}, {"items", {{"type", "string"}}}}}};
}

json summary_schema() {
  json cluster = pool_properties();
  cluster["cluster"] = string_schema("Its id.");
  cluster["name"] = string_schema();
  cluster["standalone"] = boolean_schema("A single host that is in no cluster.");
  return {{"type", "object"},
          {"properties",
           {{"total", {{"type", "object"}, {"properties", pool_properties()}}},
            {"clusters",
             {{"type", "array"}, {"items", {{"type", "object"}, {"properties", std::move(cluster)}}}}},
            {"notes", {{"type", "array"}, {"items", {{"type", "string"}}}}}}},
          {"required", {"total", "clusters"}}};
}

}  // namespace

void declare_get_resource_utilization_summary(tool_builder& tool) {
  tool.title("Show resource utilization")
      .describe(
          "Shows how much CPU (MHz), memory (MiB) and storage (GiB) is used and there, for every cluster, "
          "for standalone "
          "hosts and in all, as the hosts measure it now, with counts of hosts and virtual machines by "
          "state.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .cost(3)
      .view(kUtilizationView)
      .input(input_schema(json::object()))
      .output(output_schema({{"summary", summary_schema()}}, json::array({"summary"})))
      .run(run_utilization);
}

}  // namespace vmcp::plugins::resource
