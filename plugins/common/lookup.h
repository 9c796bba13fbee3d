// Reading more of the inventory than one object or one page.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>
#include "common/json.h"

#include "common/object.h"

namespace vmcp::plugins {

struct Objects {
  reply source;  // failed: `all` is not to be used
  json all = json::array();
};

// Every visible object that matches, page after page. `query` without limit and cursor.
inline Objects list_all(const call& c, json query) {
  constexpr int kMostPages = 1000;  // a cursor that never ends must not keep us
  Objects out;
  for (int page_number = 0; page_number < kMostPages; ++page_number) {
    out.source = c.inventory().list(query);
    if (!out.source) return out;
    const json page = parse(out.source);
    for (const json& object : page.value("objects", json::array())) out.all.push_back(object);
    if (!page.value("truncated", false) || !page.contains("next")) return out;
    if (c.cancelled()) {
      out.source.status = status::cancelled;
      out.source.error = "The call was cancelled, or its time ran out, while the inventory was read.";
      return out;
    }
    query["cursor"] = page["next"];
  }
  out.source.status = status::limit;
  out.source.error = "The inventory has more pages than this tool reads.";
  return out;
}

// Objects of a kind by id. What cannot be looked up (not visible to the caller, vCenter away) is left out:
// these look-ups only add names to answers that stand without them.
inline json find_by_ids(const call& c, const char* kind, const std::set<std::string>& ids,
                        const json& properties = json::array()) {
  if (ids.empty()) return json::array();
  const Objects found = list_all(c, {{"kind", kind}, {"properties", properties}, {"where", {{"ids", ids}}}});
  return found.source ? found.all : json::array();
}

// {"id":…,"name":…}, the name only when it is known.
inline json named(const std::string& id, const std::string& name) {
  json out{{"id", id}};
  if (!name.empty()) out["name"] = name;
  return out;
}

// The clusters that hosts belong to, by id. The ComputeResource of a standalone host is no cluster to the
// person who asks, so it is not among them.
inline std::map<std::string, std::string> cluster_names(const call& c, const std::set<std::string>& ids) {
  std::map<std::string, std::string> out;
  for (const json& cluster : find_by_ids(c, "cluster", ids)) {
    if (cluster.value("type", "") == "ClusterComputeResource")
      out[cluster.value("id", "")] = cluster.value("name", "");
  }
  return out;
}

}  // namespace vmcp::plugins
