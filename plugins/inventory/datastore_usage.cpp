#include <algorithm>
#include <tuple>

#include "common/answer.h"
#include "common/listing.h"
#include "common/lookup.h"
#include "common/percent.h"
#include "common/schema.h"
#include "inventory/tools.h"

namespace vmcp::plugins::inventory {

namespace {

// The thresholds of vCenter's own alarm "Datastore usage on disk".
constexpr double kWarningPercent = 75;
constexpr double kCriticalPercent = 85;

struct Usage {
  json item;
  int risk = 0;  // 3 inaccessible or unreadable, 2 critical, 1 warning, 0 ok
  double percent_used = 0, percent_provisioned = 0;
  std::int64_t capacity = 0, free = 0, provisioned = 0;
  bool measured = false;           // capacity and free are known
  bool provisioned_known = false;  // so is what thin disks may still grow to
};

const char* risk_name(const Usage& usage) {
  static constexpr const char* kNames[] = {"ok", "warning", "critical", "unknown"};
  return kNames[usage.risk];
}

void measure(Usage& usage, const json& summary) {
  usage.measured = true;
  usage.capacity = summary["capacity"].get<std::int64_t>();
  usage.free = summary["freeSpace"].get<std::int64_t>();
  const std::int64_t used = usage.capacity - usage.free;
  usage.percent_used = percent(static_cast<double>(used), static_cast<double>(usage.capacity));
  usage.item["capacity"] = usage.capacity;
  usage.item["free_space"] = usage.free;
  usage.item["used"] = used;
  usage.item["percent_used"] = usage.percent_used;
  if (const auto uncommitted = summary.find("uncommitted");
      uncommitted != summary.end() && uncommitted->is_number()) {
    usage.provisioned_known = true;
    usage.provisioned = used + uncommitted->get<std::int64_t>();
    usage.percent_provisioned =
        percent(static_cast<double>(usage.provisioned), static_cast<double>(usage.capacity));
    usage.item["provisioned"] = usage.provisioned;
    usage.item["percent_provisioned"] = usage.percent_provisioned;
    usage.item["overcommitted"] = usage.provisioned > usage.capacity;
  }
  if (usage.percent_used >= kCriticalPercent) {
    usage.risk = 2;
  } else if (usage.percent_used >= kWarningPercent || usage.percent_provisioned > 100) {
    usage.risk = 1;
  }
}

Usage usage_of(const json& object) {
  Usage out;
  out.item = {{"datastore", object.value("id", "")}, {"name", object.value("name", "")}};
  const json summary = property(object, "summary");
  copy_unavailable(out.item, object);
  if (!summary.is_object()) {
    out.risk = 3;
    if (!out.item.contains("unavailable")) out.item["unavailable"] = {{"summary", "vCenter did not tell it"}};
    out.item["risk"] = risk_name(out);
    return out;
  }
  out.item["type"] = automation_enum(summary.value("type", ""));
  const bool accessible = summary.value("accessible", false);
  out.item["accessible"] = accessible;
  if (summary.contains("maintenanceMode")) out.item["maintenance_mode"] = summary["maintenanceMode"];
  const bool sized =
      summary.value("capacity", json()).is_number() && summary.value("freeSpace", json()).is_number();
  if (accessible && sized) {
    measure(out, summary);
  } else {
    out.risk = 3;
    out.item["unavailable"]["capacity, free_space"] =
        accessible ? "vCenter did not tell it" : "the datastore cannot be reached";
  }
  out.item["risk"] = risk_name(out);
  return out;
}

json summary_of(const std::vector<Usage>& all) {
  double capacity = 0, free = 0, provisioned = 0;
  std::size_t unmeasured = 0, unknown_provisioned = 0;
  json by_risk{{"unknown", 0}, {"critical", 0}, {"warning", 0}, {"ok", 0}};
  for (const Usage& usage : all) {
    json& count = by_risk[risk_name(usage)];
    count = count.get<int>() + 1;
    if (!usage.measured) {
      ++unmeasured;
      continue;
    }
    capacity += static_cast<double>(usage.capacity);
    free += static_cast<double>(usage.free);
    if (usage.provisioned_known) {
      provisioned += static_cast<double>(usage.provisioned);
    } else {
      ++unknown_provisioned;
    }
  }
  json out{{"capacity", static_cast<std::int64_t>(capacity)},
           {"free_space", static_cast<std::int64_t>(free)},
           {"used", static_cast<std::int64_t>(capacity - free)},
           {"percent_used", percent(capacity - free, capacity)},
           {"by_risk", std::move(by_risk)}};
  json notes = json::array();
  if (unknown_provisioned == 0) {
    out["provisioned"] = static_cast<std::int64_t>(provisioned);
    out["percent_provisioned"] = percent(provisioned, capacity);
  } else {
    notes.push_back("provisioned is left out: vCenter does not tell it for " +
                    std::to_string(unknown_provisioned) + " datastore(s).");
  }
  if (unmeasured > 0)
    notes.push_back(
        std::to_string(unmeasured) +
        " datastore(s) could not be measured and are not in these totals; they are listed first.");
  out["notes"] = std::move(notes);
  return out;
}

status run_datastore_usage(call& c, const args& a) {
  const Objects found =
      list_all(c, {{"kind", "datastore"}, {"properties", {"summary"}}, {"where", filters_of(a)}});
  if (!found.source) return c.fail(found.source);
  std::vector<Usage> all;
  for (const json& object : found.all) all.push_back(usage_of(object));
  const json summary = summary_of(all);
  std::stable_sort(all.begin(), all.end(), [](const Usage& x, const Usage& y) {
    return std::tie(x.risk, x.percent_used, x.percent_provisioned) >
           std::tie(y.risk, y.percent_used, y.percent_provisioned);
  });
  const std::size_t limit = static_cast<std::size_t>(a.integer("limit", kMostItems));
  json items = json::array();
  for (std::size_t i = 0; i < all.size() && i < limit; ++i) items.push_back(std::move(all[i].item));
  json out = envelope(c);
  out["count"] = items.size();
  out["returned"] = items.size();
  out["total"] = all.size();
  out["truncated"] = items.size() < all.size();
  out["summary"] = summary;
  out["datastores"] = std::move(items);
  return c.json(out);
}

json datastore_usage_item_schema() {
  return {{"type", "object"},
          {"properties",
           {{"datastore", string_schema("Its id.")},
            {"name", string_schema()},
            {"type", string_schema()},
            {"accessible", boolean_schema()},
            {"risk",
             {{"type", "string"},
              {"enum", {"unknown", "critical", "warning", "ok"}},
              {"description",
               "critical: 85 % used; warning: 75 % used, or more promised than there is; unknown: not "
               "measurable."}}},
            {"capacity", integer_schema("Bytes, as all sizes.")},
            {"free_space", integer_schema()},
            {"used", integer_schema()},
            {"percent_used", number_schema()},
            {"provisioned", integer_schema("Used, plus what thin disks may still grow to.")},
            {"percent_provisioned", number_schema("Over 100: more is promised than there is.")},
            {"overcommitted", boolean_schema()},
            {"maintenance_mode", string_schema()},
            {"unavailable", object_schema()}}},
          {"required", {"datastore", "name", "risk"}}};
}

}  // namespace

void declare_get_datastore_usage(tool_builder& tool) {
  tool.title("Show datastore usage")
      .describe(
          "Shows how full the datastores are: capacity, free, used and provisioned space in bytes and "
          "percent. Those at "
          "risk come first: unreachable ones, then the fullest and most overcommitted. `summary` has the "
          "totals.")
      .reads()
      .idempotent()
      .privileges("System.View,System.Read")
      .input(input_schema(
          {{"names", names_filter()},
           {"datacenters",
            object_filter("datacenter", "Only datastores of these datacenters (ids, names or paths).")},
           {"limit", limit_argument(kMostItems, kMostItems)}}))
      .output(output_schema({{"count", integer_schema()},
                             {"returned", integer_schema()},
                             {"total", integer_schema()},
                             {"truncated", boolean_schema()},
                             {"summary", {{"type", "object"}, {"description", "Totals of all datastores."}}},
                             {"datastores", {{"type", "array"}, {"items", datastore_usage_item_schema()}}}},
                            {"count", "total", "truncated", "summary", "datastores"}))
      .run(run_datastore_usage);
}

}  // namespace vmcp::plugins::inventory
