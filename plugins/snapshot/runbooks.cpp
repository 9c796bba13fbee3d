// snapshot_ageing_review
#include <algorithm>

#include "common/completing.h"
#include "common/find.h"
#include "common/lookup.h"
#include "common/runbook.h"
#include "snapshot/age.h"
#include "snapshot/tools.h"
#include "snapshot/tree.h"

namespace vmcp::plugins::snapshot {

namespace {

constexpr const char* kAgeingReview = "snapshot_ageing_review";
constexpr std::int64_t kSecondsPerDay = 24 * 60 * 60;
constexpr int kDefaultDays = 7, kMostDays = 36500;

struct Aged {
  std::int64_t created = 0;
  json fact;
};

// What the review begins with.
struct Review {
  std::size_t vms = 0, vms_with_snapshots = 0, snapshots = 0, undated = 0, truncated_trees = 0;
  std::size_t unreadable_vms = 0;
  std::vector<Aged> old;
};

json fact_of(const json& vm, const Snapshot& snapshot, std::int64_t age_days) {
  return {{"vm_id", vm.value("id", "")},
          {"vm_name", vm.value("name", "")},
          {"snapshot_id", snapshot.id},
          {"name", snapshot.name},
          {"description", snapshot.description},
          {"created", snapshot.created},
          {"age_days", age_days},
          {"current", snapshot.current},
          {"children", snapshot.children.size()}};
}

void add_vm(Review& to, const json& vm, std::int64_t now, std::int64_t least_days) {
  ++to.vms;
  if (vm.contains("unavailable") && vm["unavailable"].contains("snapshot")) ++to.unreadable_vms;
  const Tree tree = tree_of(property(vm, "snapshot"));
  if (tree.truncated) ++to.truncated_trees;
  if (!tree.snapshots.empty()) ++to.vms_with_snapshots;
  to.snapshots += tree.snapshots.size();
  for (const Snapshot& snapshot : tree.snapshots) {
    const auto created = seconds_of(snapshot.created);
    if (!created) {
      ++to.undated;
      continue;
    }
    const std::int64_t age = now - *created;
    if (age > least_days * kSecondsPerDay)
      to.old.push_back({*created, fact_of(vm, snapshot, age / kSecondsPerDay)});
  }
}

json facts_of(Review review, std::int64_t now, int days) {
  constexpr std::size_t kMostShown = 50;
  std::stable_sort(review.old.begin(), review.old.end(),
                   [](const Aged& a, const Aged& b) { return a.created < b.created; });
  json oldest = json::array();
  for (std::size_t i = 0; i < review.old.size() && i < kMostShown; ++i)
    oldest.push_back(std::move(review.old[i].fact));
  json out{{"now", date_time_of(now)},
           {"older_than_days", days},
           {"vms", review.vms},
           {"vms_with_snapshots", review.vms_with_snapshots},
           {"snapshots", review.snapshots},
           {"snapshots_older", review.old.size()},
           {"not_shown", review.old.size() - oldest.size()}};
  if (review.undated > 0) out["snapshots_without_date"] = review.undated;
  if (review.truncated_trees > 0) out["vms_with_more_snapshots_than_read"] = review.truncated_trees;
  if (review.unreadable_vms > 0) out["vms_not_readable"] = review.unreadable_vms;
  out["oldest"] = std::move(oldest);
  return out;
}

Runbook review_of(int days, const std::string& where) {
  Runbook out("Review the snapshots older than " + std::to_string(days) + " days" + where +
              ": find out which can go, and delete only those that the person picks.");
  out.step(
         "Read the facts: `oldest` has the snapshots over the age, oldest first, `not_shown` how many more "
         "there "
         "are. Tell the person the counts, and name what could not be read. Without any, say so and stop.")
      .step(
          "list_vm_snapshots {vm_id} for the machines in `oldest` (the ten with the oldest or the most "
          "first): "
          "the whole tree, parents and children, and which snapshot is current.")
      .step(
          "get_vm_details {vm_id, verbose: true} for the same machines: power state and the space they take.")
      .step(
          "get_datastore_usage {}: snapshots on a datastore at risk are more urgent. Deleting one writes its "
          "changes back, which takes time and may need free space at first.")
      .step(
          "Show one table: machine (name and id), snapshot (name and id), age in days, current or not, "
          "children, description, and what you suggest: keep, ask the owner, or delete, each with the "
          "reason. A "
          "name or description that tells of backup or replication software means: ask the owner of that "
          "software, its job may still run.")
      .step(ask_first("which snapshots shall be deleted, by machine and snapshot id"))
      .step("For each of them, one after the other: " +
            dry_run_then_confirm("delete_vm_snapshot", "vm_id, snapshot_id"))
      .step(
          "list_vm_snapshots {vm_id} again for each machine that was touched, and get_datastore_usage {}: "
          "report what is gone, what is left and how much space came back.");
  out.never("delete by age alone, or a snapshot that the person did not name.")
      .never("delete several snapshots of one machine at the same time.")
      .never("delete or power off a virtual machine to be rid of its snapshots.");
  return out;
}

status get_review(call& c, const args& a) {
  const auto days = number_in<int>(a.text("older_than_days", std::to_string(kDefaultDays)), 0, kMostDays);
  if (!days) return refuse_argument(c, "older_than_days", "a whole number of days from 0 to 36500, e.g. 7");
  json query{{"kind", "vm"}, {"properties", {"snapshot"}}};
  std::string where;
  json datacenter;
  if (const std::string text = a.text("datacenter"); !text.empty()) {
    const Found found = find_one(c, kDatacenter, text, json::array());
    if (!found.source) return c.fail(found.source);
    query["where"] = {{"datacenters", {found.id()}}};
    where = " in the datacenter " + quote(found.name()) + " (" + found.id() + ")";
    datacenter = named(found.id(), found.name());
  }
  const Objects vms = list_all(c, std::move(query));
  if (!vms.source) return c.fail(vms.source);
  const std::int64_t now = seconds_now();
  Review review;
  for (const json& vm : vms.all) add_vm(review, vm, now, *days);
  json facts = facts_of(std::move(review), now, *days);
  if (!datacenter.is_null()) facts["datacenter"] = std::move(datacenter);
  return review_of(*days, where).give(c, facts);
}

}  // namespace

void declare_snapshot_ageing_review(prompt_builder& prompt) {
  prompt.title("Review old snapshots")
      .describe(
          "Finds the snapshots that are older than some days, judges them with the person, and deletes those "
          "that "
          "the person picks, one by one.")
      .argument("older_than_days", "Snapshots older than so many days; left out: 7.")
      .argument("datacenter", "Only this datacenter: its name, id or path; left out: all.")
      .get(get_review);
}

status complete_snapshot_prompts(call& c, const completing& what) {
  if (is_about(what, kAgeingReview, "datacenter")) return complete_names(c, "datacenter", what.value);
  if (is_about(what, kAgeingReview, "older_than_days"))
    return complete_from(c, what.value, {"3", "7", "14", "30", "60", "90", "180"});
  return c.values({});
}

}  // namespace vmcp::plugins::snapshot
