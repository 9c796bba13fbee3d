// Finding and reading inventory objects as one caller may see them: behind "vmcp.inventory/1" and step 7 of
// the walk.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "inventory/facts.h"
#include "inventory/object.h"
#include "vcenter/connection.h"

namespace vmcp::inventory {

struct Limits {
  milliseconds tree_age{2'000};             // how long a tree of names may answer; 0 = read it each time
  std::size_t max_objects = 100'000;        // per vCenter; more is an error that says so, never a silent cut
  std::size_t max_listed = 20'000;          // objects in one answer, whatever the query asks
  std::size_t max_properties = 64;          // paths in one query
  std::size_t max_reply_bytes = 64u << 20;  // one page of vCenter's answer
  std::size_t max_tag_names = 10'000;       // categories, and tags of the categories that rules name
};

// [any thread]. Blocks in vCenter at most until limits.deadline. Nothing here changes vCenter, except the
// container view that a traversal creates and destroys.
//
// What the caller may not see is answered in the same words as what is not there (Code::not_found), so that
// nobody can probe for names. A vCenter that does not answer is Code::unavailable or ::timeout, never "not
// found".
class Inventory {
 public:
  virtual ~Inventory() = default;

  // `text` is a MoRef, an exact name or an inventory path ("/north/vm/prod/ledger-db"); `kind` as in
  // object.h, not "snapshot". Several visible matches, or an id that is also another visible object's name,
  // are Code::invalid_argument that lists at most 10 of them with id and path.
  virtual Result<Object> resolve(vcenter::Connection& vc, std::string_view kind, std::string_view text,
                                 const Visible& visible, const CallLimits& limits) = 0;

  // A part of `whole` (x-vmcp-within); today kind "snapshot" of a vm: `text` is a snapshot MoRef, the numeric
  // id of vCenter's snapshot manager or an exact name in that VM's tree. Visibility is that of `whole`, which
  // the caller has resolved before; `within` of the result is whole.id, its path is empty.
  virtual Result<Object> resolve_within(vcenter::Connection& vc, const Object& whole, std::string_view kind,
                                        std::string_view text, const CallLimits& limits) = 0;

  // One object by MoRef, without properties, from the tree. For checking that an object still is where it
  // was.
  virtual Result<Object> find(vcenter::Connection& vc, std::string_view kind, std::string_view id,
                              const Visible& visible, const CallLimits& limits) = 0;

  // vmcp_inventory_1.get: the answer JSON of one object.
  virtual Result<std::string> get(vcenter::Connection& vc, std::string_view kind, std::string_view id,
                                  const std::vector<std::string>& properties, const Visible& visible,
                                  const CallLimits& limits) = 0;

  // vmcp_inventory_1.list: query and answer JSON as in sdk/include/vmcp/inventory.h. A bad query or cursor is
  // Code::invalid_argument with the member that is wrong.
  virtual Result<std::string> list(vcenter::Connection& vc, const Json& query, const Visible& visible,
                                   const CallLimits& limits) = 0;

  // Facts of these objects of one vCenter, in their order. Power states and the hosts of VMs are read now, of
  // these objects only; which cluster a host is in, and tags, may be Limits::tree_age old (a renamed tag:
  // TagNames::kNameAge). An error when anything wanted could not be read: the caller must then refuse.
  // Code::not_found when one of the objects is gone.
  virtual Result<std::vector<Facts>> facts(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                                           const FactsWanted& wanted, const CallLimits& limits) = 0;

  // The same for any object of this vCenter, as a table to be asked while lists are filtered: one traversal
  // (two for power states), shared by concurrent readers, at most Limits::tree_age old. What could not be
  // read of one object alone is not an error but Facts::known = false.
  virtual Result<std::shared_ptr<const FactTable>> all_facts(vcenter::Connection& vc,
                                                             const FactsWanted& wanted,
                                                             const CallLimits& limits) = 0;

  // Something in this vCenter was changed (by this process): the next read looks anew, and a read that is
  // under way now does not enter the cache.
  virtual void changed(vcenter::Connection& vc) = 0;
};

// `clock` outlives the inventory; so do the connections that are handed in.
std::unique_ptr<Inventory> make_inventory(const Clock& clock, Limits limits = {});

// "vm" → true. Kinds that have objects of their own in the tree (not "snapshot").
bool is_kind(std::string_view kind);

}  // namespace vmcp::inventory
