// pre_maintenance_check
#include "common/find.h"
#include "common/lookup.h"
#include "common/percent.h"
#include "common/runbook.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

const json kHostLoad = {"parent",
                        "runtime.connectionState",
                        "runtime.powerState",
                        "runtime.inMaintenanceMode",
                        "summary.hardware.cpuMhz",
                        "summary.hardware.numCpuCores",
                        "summary.hardware.memorySize",
                        "summary.quickStats.overallCpuUsage",
                        "summary.quickStats.overallMemoryUsage"};

double number(const json& object, const char* path) {
  const json value = property(object, path);
  return value.is_number() ? value.get<double>() : 0;
}

// Can it take over machines now, and are its figures known?
bool can_help(const json& host) {
  return text_property(host, "runtime.connectionState") == "connected" &&
         text_property(host, "runtime.powerState") == "poweredOn" &&
         property(host, "runtime.inMaintenanceMode") == false &&
         property(host, "summary.quickStats.overallCpuUsage").is_number() &&
         property(host, "summary.quickStats.overallMemoryUsage").is_number();
}

// What the others of its cluster would carry when this host's load came on top. A sum: whether each machine
// finds one host with room, and what HA keeps back, only vCenter knows.
json without_host(const json& members, const json& host) {
  double cpu_used = number(host, "summary.quickStats.overallCpuUsage"), cpu_total = 0;
  double memory_used = number(host, "summary.quickStats.overallMemoryUsage"), memory_total = 0;
  std::size_t helpers = 0;
  json others = json::array();
  for (const json& member : members) {
    if (member.value("id", "") == host.value("id", "")) continue;
    const bool helps = can_help(member);
    others.push_back(
        {{"host_id", member.value("id", "")}, {"name", member.value("name", "")}, {"can_take_over", helps}});
    if (!helps) continue;
    ++helpers;
    cpu_used += number(member, "summary.quickStats.overallCpuUsage");
    cpu_total += number(member, "summary.hardware.cpuMhz") * number(member, "summary.hardware.numCpuCores");
    memory_used += number(member, "summary.quickStats.overallMemoryUsage");
    memory_total += number(member, "summary.hardware.memorySize") / (1024.0 * 1024.0);
  }
  json out{{"others", std::move(others)}, {"can_take_over", helpers}};
  if (helpers == 0) return out;
  out["cpu_percent_afterwards"] = percent(cpu_used, cpu_total);
  out["memory_percent_afterwards"] = percent(memory_used, memory_total);
  return out;
}

json cluster_facts(call& c, const json& host) {
  const std::string parent = moref(property(host, "parent"));
  const auto names = cluster_names(c, {parent});
  if (names.empty()) return {{"standalone", true}};
  json out = named(parent, names.begin()->second);
  const Objects members =
      list_all(c, {{"kind", "host"}, {"properties", kHostLoad}, {"where", {{"clusters", {parent}}}}});
  if (members.source) {
    out.update(without_host(members.all, host));
  } else {
    out["unavailable"] = members.source.error;
  }
  return out;
}

// Datastores that no other host reaches: machines with files there cannot leave the host by themselves.
std::set<std::string> local_datastores(call& c, const std::string& host_id, json& facts) {
  std::set<std::string> out;
  const Objects found = list_all(c, {{"kind", "datastore"},
                                     {"properties", {"summary.multipleHostAccess"}},
                                     {"where", {{"hosts", {host_id}}}}});
  if (!found.source) {
    facts["local_datastores"] = {{"unavailable", found.source.error}};
    return out;
  }
  json named_ones = json::array();
  for (const json& datastore : found.all) {
    if (property(datastore, "summary.multipleHostAccess") != false) continue;
    out.insert(datastore.value("id", ""));
    named_ones.push_back(named(datastore.value("id", ""), datastore.value("name", "")));
  }
  facts["local_datastores"] = std::move(named_ones);
  return out;
}

bool lies_on(const json& vm, const std::set<std::string>& datastores) {
  const json references = property(vm, "datastore");
  if (!references.is_array()) return false;
  for (const json& reference : references) {
    if (datastores.count(moref(reference)) != 0) return true;
  }
  return false;
}

status add_vms(call& c, const std::string& host_id, json& facts) {
  constexpr std::size_t kShown = 50;
  const std::set<std::string> local = local_datastores(c, host_id, facts);
  const Objects found = list_all(c, {{"kind", "vm"},
                                     {"properties", {"runtime.powerState", "datastore"}},
                                     {"where", {{"hosts", {host_id}}}}});
  if (!found.source) return c.fail(found.source);
  json by_state = json::object(), running = json::array(), bound = json::array();
  std::size_t running_count = 0;
  for (const json& vm : found.all) {
    const std::string state = automation_enum(text_property(vm, "runtime.powerState"));
    const std::string key = state.empty() ? "UNKNOWN" : state;
    by_state[key] = by_state.value(key, 0) + 1;
    const json who = named(vm.value("id", ""), vm.value("name", ""));
    if (state == "POWERED_ON" && ++running_count <= kShown) running.push_back(who);
    if (lies_on(vm, local) && bound.size() < kShown) bound.push_back(who);
  }
  facts["vms"] = {{"total", found.all.size()},
                  {"by_state", std::move(by_state)},
                  {"running", std::move(running)},
                  {"running_not_shown", running_count > kShown ? running_count - kShown : 0},
                  {"on_local_datastores", std::move(bound)}};
  return status::ok;
}

json host_facts(const json& host) {
  json out{
      {"host_id", host.value("id", "")}, {"name", host.value("name", "")}, {"path", host.value("path", "")}};
  copy_property(out, "connection_state", host, "runtime.connectionState");
  copy_property(out, "power_state", host, "runtime.powerState");
  copy_property(out, "in_maintenance_mode", host, "runtime.inMaintenanceMode");
  copy_property(out, "cpu_used_mhz", host, "summary.quickStats.overallCpuUsage");
  copy_property(out, "memory_used_mib", host, "summary.quickStats.overallMemoryUsage");
  copy_unavailable(out, host);
  return out;
}

Runbook maintenance_of(const Found& host) {
  const std::string id = quote(host.id()), name = quote(host.name());
  Runbook out(
      "Check whether the host " + name + " (" + host.id() +
      ") can go into maintenance, and give the person a clear go or no-go with the reasons. Nothing is "
      "changed by this check.");
  out.step("list_hosts {names: [" + name +
           "], verbose: true}: is it connected, which cluster is it in? If it is in maintenance mode "
           "already, or "
           "not connected, say so first: the rest may be old.")
      .step("list_vms {hosts: [" + id +
            "], verbose: true}: every machine on it (follow `next` to the end). Name those that run, those "
            "that are "
            "suspended, and those without running VMware Tools.")
      .step(
          "Compare with `vms` in the facts: machines in on_local_datastores cannot move to another host "
          "without "
          "moving their disks; they must be shut down or their storage moved.")
      .step(
          "Look at `cluster` in the facts: what would the others carry afterwards? Over 80 % of CPU or "
          "memory is "
          "a warning, over 95 % or nobody who can_take_over is a no-go. A standalone host cannot be emptied "
          "at "
          "all. get_resource_utilization_summary {} shows the cluster as a whole, and hosts that are lost.")
      .step(
          "get_datastore_usage {}: a datastore at risk is a reason to wait, since moving machines needs "
          "working "
          "storage.")
      .step(
          "list_vm_snapshots {vm_id} for the most important machines that run (let the person name them): is "
          "there "
          "a backup or change going on?")
      .step(
          "Report: GO, GO WITH CARE or NO-GO; the machines that need a person, each with what to do; what "
          "the "
          "rest of the cluster will carry; what could not be read.")
      .step(
          "Tell what comes next: a person puts the host into maintenance mode in the vSphere Client, which "
          "moves "
          "the running machines if DRS or they do so. Afterwards this prompt again shows whether it is "
          "empty, and "
          "list_vms {names: […]} whether every machine runs elsewhere.");
  out.never("power off, restart or delete a machine in order to empty the host.")
      .never("call it a go because something could not be read.")
      .never("claim to have put the host into maintenance mode: no tool here can.");
  return out;
}

status get_maintenance_check(call& c, const args& a) {
  const Found host = find_one(c, kHost, a.text("host"), kHostLoad);
  if (!host.source) return c.fail(host.source);
  json facts{{"host", host_facts(host.object)}, {"cluster", cluster_facts(c, host.object)}};
  if (const status read = add_vms(c, host.id(), facts); failed(read)) return read;
  return maintenance_of(host).give(c, facts);
}

}  // namespace

void declare_pre_maintenance_check(prompt_builder& prompt) {
  prompt.title("Check a host before maintenance")
      .describe(
          "Checks whether a host can go into maintenance: the machines on it, which of them cannot move, and "
          "whether the rest of its cluster can carry them. Changes nothing.")
      .argument("host", "The ESXi host: its name, id (host-31) or inventory path.", true)
      .get(get_maintenance_check);
}

}  // namespace vmcp::plugins::inventory
