// datastore_running_full
#include <algorithm>

#include "common/completing.h"
#include "common/find.h"
#include "common/lookup.h"
#include "common/percent.h"
#include "common/runbook.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

constexpr const char* kRunningFull = "datastore_running_full";
constexpr int kDefaultThreshold = 80;

const json kSpace = {"summary.capacity", "summary.freeSpace", "summary.uncommitted", "summary.accessible",
                     "summary.type"};

json space_fact(const json& datastore) {
  json out{{"datastore_id", datastore.value("id", "")}, {"name", datastore.value("name", "")}};
  copy_property(out, "type", datastore, "summary.type");
  copy_property(out, "accessible", datastore, "summary.accessible");
  copy_unavailable(out, datastore);
  const json capacity = property(datastore, "summary.capacity");
  const json free = property(datastore, "summary.freeSpace");
  const json growth = property(datastore, "summary.uncommitted");
  // The last known sizes of a datastore that cannot be reached say nothing about now.
  if (property(datastore, "summary.accessible") != true || !capacity.is_number() || !free.is_number())
    return out;
  const double used = capacity.get<double>() - free.get<double>();
  out["capacity"] = capacity;
  out["free_space"] = free;
  out["percent_used"] = percent(used, capacity.get<double>());
  if (growth.is_number())
    out["percent_provisioned"] = percent(used + growth.get<double>(), capacity.get<double>());
  return out;
}

// Those over the threshold and those that tell nothing, the fullest first.
json full_ones(const json& datastores, int threshold) {
  std::vector<json> out;
  for (const json& datastore : datastores) {
    json fact = space_fact(datastore);
    if (fact.value("percent_used", 1000.0) >= threshold) out.push_back(std::move(fact));
  }
  std::stable_sort(out.begin(), out.end(), [](const json& a, const json& b) {
    return a.value("percent_used", 1000.0) > b.value("percent_used", 1000.0);
  });
  return out;
}

// The machines with files on it that take the most space; of those that the caller may see.
json largest_vms(call& c, const json& datastore) {
  constexpr std::size_t kMostAsked = 1000, kShown = 20;
  std::set<std::string> ids;
  const json references = property(datastore, "vm");
  for (const json& reference : references.is_array() ? references : json::array()) {
    if (ids.size() < kMostAsked) ids.insert(moref(reference));
  }
  ids.erase("");
  std::vector<json> vms;
  for (const json& vm : find_by_ids(c, "vm", ids, {"summary.storage.committed", "runtime.powerState"})) {
    json fact{{"vm_id", vm.value("id", "")}, {"name", vm.value("name", "")}};
    copy_property(fact, "power_state", vm, "runtime.powerState");
    copy_property(fact, "storage_committed_bytes", vm, "summary.storage.committed");
    vms.push_back(std::move(fact));
  }
  std::stable_sort(vms.begin(), vms.end(), [](const json& a, const json& b) {
    return a.value("storage_committed_bytes", 0.0) > b.value("storage_committed_bytes", 0.0);
  });
  const std::size_t count = vms.size();
  if (vms.size() > kShown) vms.resize(kShown);
  return {{"vms_on_it", references.is_array() ? references.size() : 0},
          {"not_shown", count - vms.size()},
          {"largest", vms}};
}

Runbook full_datastore(const json* one, int threshold) {
  const std::string limit = std::to_string(threshold) + " %";
  const std::string name = one == nullptr ? "" : one->value("name", "");
  const std::string narrow = one == nullptr ? "{}" : "{names: [" + quote(name) + "]}";
  Runbook out(one == nullptr ? "Find out why datastores are " + limit + " full or more, and what can be done."
                             : "Find out why the datastore " + quote(name) + " (" + one->value("id", "") +
                                   ") is running full (threshold " + limit + "), and what can be done.");
  out.step("get_datastore_usage " + narrow +
           ": used, free and provisioned space. Over 100 % provisioned means that thin disks may grow until "
           "it is "
           "full. One that is not accessible is a greater trouble than a full one: say so first.")
      .step(one == nullptr ? "For each datastore in the facts, the fullest first, get this prompt again with "
                             "`datastore`: its "
                             "facts then name the machines on it. Without any datastore over the threshold, "
                             "say so and stop."
                           : "`largest` in the facts has the machines with the most space; "
                             "storage_committed_bytes counts all "
                             "datastores of a machine, so take it as a hint only.")
      .step(
          "list_vm_snapshots {vm_id} for the ten largest: old snapshots are the usual cause, and the one "
          "that is "
          "easiest to undo. The prompt snapshot_ageing_review goes through them.")
      .step(
          "list_vms {power_states: [\"POWERED_OFF\"], verbose: true}: machines that only take space; their "
          "owners "
          "decide about them.")
      .step(
          "Report: how full, how much is still free in GiB, how urgent, the likely causes with figures, and "
          "the "
          "ways out, the safest first: delete snapshots that nobody needs; have an administrator move "
          "machines "
          "or enlarge the datastore in the vSphere Client (no tool here does it); delete machines that their "
          "owners gave up.")
      .step(ask_first("which of them shall be done"))
      .step("For a snapshot: " + dry_run_then_confirm("delete_vm_snapshot", "vm_id, snapshot_id") +
            " One after the other: each first needs room to merge. With under 5 % free, ask an administrator "
            "before the first one.")
      .step("get_datastore_usage " + narrow + " again: report what was won.");
  out.never(
         "delete a virtual machine only to win space; delete_vm is for machines whose owner said so, one by "
         "one.")
      .never("create a snapshot on a datastore that is running full.")
      .never("power machines off to stop the growth, unless the person asks for exactly that.");
  return out;
}

status get_running_full(call& c, const args& a) {
  const auto threshold =
      number_in<int>(a.text("threshold_percent", std::to_string(kDefaultThreshold)), 1, 100);
  if (!threshold)
    return refuse_argument(c, "threshold_percent", "a whole number of percent from 1 to 100, e.g. 80");
  json facts{{"threshold_percent", *threshold}};
  if (const std::string text = a.text("datastore"); !text.empty()) {
    json properties = kSpace;
    properties.push_back("vm");
    const Found found = find_one(c, kDatastore, text, properties);
    if (!found.source) return c.fail(found.source);
    facts["datastore"] = space_fact(found.object);
    facts.update(largest_vms(c, found.object));
    return full_datastore(&found.object, *threshold).give(c, facts);
  }
  constexpr std::size_t kMostDatastores = 50;
  const Objects all = list_all(c, {{"kind", "datastore"}, {"properties", kSpace}});
  if (!all.source) return c.fail(all.source);
  json full = full_ones(all.all, *threshold);
  facts["datastores"] = all.all.size();
  facts["over_threshold_or_not_measurable"] = full.size();
  if (full.size() > kMostDatastores) {
    facts["not_shown"] = full.size() - kMostDatastores;
    full.erase(full.begin() + static_cast<std::ptrdiff_t>(kMostDatastores), full.end());
  }
  facts["fullest"] = std::move(full);
  return full_datastore(nullptr, *threshold).give(c, facts);
}

}  // namespace

void declare_datastore_running_full(prompt_builder& prompt) {
  prompt.title("Datastore running full")
      .describe(
          "Finds out why a datastore (or which of all) is running full, what takes the space, and which way "
          "out is "
          "the safest; deletes nothing that the person has not picked.")
      .argument("datastore", "The datastore: its name, id or path; left out: all over the threshold.")
      .argument("threshold_percent", "From how many percent used on it counts as full; left out: 80.")
      .get(get_running_full);
}

status complete_inventory_prompts(call& c, const completing& what) {
  if (is_about(what, kRunningFull, "datastore")) return complete_names(c, "datastore", what.value);
  if (is_about(what, kRunningFull, "threshold_percent"))
    return complete_from(c, what.value, {"70", "75", "80", "85", "90", "95"});
  if (is_about(what, "pre_maintenance_check", "host")) return complete_names(c, "host", what.value);
  return c.values({});
}

}  // namespace vmcp::plugins::inventory
