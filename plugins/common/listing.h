// One page of a list tool: the caller's filters to an inventory query, its objects to items of the answer.
#pragma once

#include <string>
#include <utility>
#include <vector>
#include "common/json.h"

#include "common/answer.h"

namespace vmcp::plugins {

// What a list tool asks of the inventory.
struct Listing {
  const char* kind;                     // "vm"
  const char* key;                      // where the items go in the answer: "vms"
  std::vector<std::string> properties;  // vim25 paths
  std::int64_t default_limit;
};

// The arguments that narrow a list, as keys of the query's "where".
inline json filters_of(const args& a) {
  json where = json::object();
  for (const char* name : {"names", "power_states", "hosts", "clusters", "datacenters", "folders"}) {
    if (a.has(name)) where[name] = a.value()[name];
  }
  return where;
}

inline json query_of(const Listing& listing, const args& a) {
  json query{{"kind", listing.kind}, {"properties", listing.properties}};
  query["where"] = filters_of(a);
  query["limit"] = a.integer("limit", listing.default_limit);
  if (a.has("cursor")) query["cursor"] = a.text("cursor");
  return query;
}

// {"ok","meta","count","returned","total","truncated",["next"],KEY:[…]}: says what the page leaves out.
inline json page_answer(const call& c, const char* key, const json& page, json items) {
  json out = envelope(c);
  out["count"] = items.size();
  out["returned"] = items.size();
  out["total"] = page.value("total", items.size());
  out["truncated"] = page.value("truncated", false);
  if (page.contains("next")) out["next"] = page["next"];
  out[key] = std::move(items);
  return out;
}

// The whole list tool; `item` makes an item from an inventory object.
template <class Item>
status run_listing(call& c, const args& a, const Listing& listing, Item item) {
  const reply found = c.inventory().list(query_of(listing, a));
  if (!found) return c.fail(found);
  const json page = parse(found);
  json items = json::array();
  for (const json& object : page.value("objects", json::array())) items.push_back(item(object));
  return c.json(page_answer(c, listing.key, page, std::move(items)));
}

}  // namespace vmcp::plugins
