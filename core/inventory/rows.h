// Objects of one kind as one reading found them: what lists are made of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inventory/inventory.h"
#include "inventory/kinds.h"
#include "inventory/query.h"
#include "inventory/tree.h"

namespace vmcp::inventory {

struct Row {
  Object object;
  std::string parent;    // MoRef
  bool in_vapp = false;  // the parent is a vApp
  std::vector<std::string>
      hosts;                // MoRefs of the hosts that it runs on or is attached to, if they were asked for
  std::string power;        // "POWERED_ON", if it was asked for
  std::string properties;   // JSON object of the asked properties
  std::string unavailable;  // JSON object; empty when everything could be read
};

// Immutable once it is shared.
struct Rows {
  std::vector<Row> rows;
  std::shared_ptr<const Tree> tree;
  std::uint64_t generation = 0;
  SteadyTime read_at{};  // when the reading ended
  // A parent was not in the tree: a vApp, if `unknown_vapps`, else the tree may be older than the reading.
  bool unknown_parents = false, unknown_vapps = false;
};

// What to read of a kind.
struct RowsWanted {
  const Kind* kind = nullptr;
  std::vector<TypeProperties> properties;  // asked ones and those that follow from the flags
  std::vector<std::string> asked;          // in the order of the answer
  bool hosts = false, power = false;

  // Two readings with the same key give the same rows.
  std::string key() const;
};

// Errors: a property that the kind has not.
Result<RowsWanted> plan_rows(const Kind& kind, const std::vector<std::string>& asked, bool hosts, bool power);

Result<std::shared_ptr<Rows>> read_rows(vcenter::Connection& vc, const RowsWanted& wanted,
                                        const Limits& limits, const CallLimits& call);
Result<std::shared_ptr<Rows>> read_row(vcenter::Connection& vc, const RowsWanted& wanted,
                                       const std::string& type, const std::string& id, const Limits& limits,
                                       const CallLimits& call);

// Fills in what the tree tells: paths, datacenters and clusters.
void place_rows(Rows& rows, std::shared_ptr<const Tree> tree);

// Rows of a kind without any properties, from the tree alone (every kind but vm).
std::shared_ptr<const Rows> rows_of_tree(const std::string& vcenter, const Kind& kind,
                                         std::shared_ptr<const Tree> tree);

bool matches(const Row& row, const Query& query, const Tree& tree);

// {"id":…} of one object, appended.
void append_row(std::string& out, const Row& row);

}  // namespace vmcp::inventory
