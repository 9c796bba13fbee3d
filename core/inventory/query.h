// The query of vmcp_inventory_1.list, checked, and its cursor.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "inventory/inventory.h"
#include "inventory/kinds.h"

namespace vmcp::inventory {

struct Query {
  using Ids = std::set<std::string, std::less<>>;

  const Kind* kind = nullptr;
  std::vector<std::string> properties;
  std::vector<std::string> names;  // globs
  Ids ids, power_states, hosts, clusters, datacenters, folders;
  std::size_t limit = 0;  // objects in one answer; never 0 after parsing

  // Where the page before ended; objects come sorted by name, then id.
  struct Position {
    std::string name, id;
  };
  std::optional<Position> after;
  std::string digest;  // of everything but limit and cursor: a cursor belongs to its query

  bool by_host() const { return !hosts.empty() || !clusters.empty(); }
};

// Strict: unknown members, wrong types and filters that the kind has not are errors that name the member.
Result<Query> parse_query(const Json& query, const Limits& limits);

std::string make_cursor(const Query& query, const Query::Position& last);

}  // namespace vmcp::inventory
