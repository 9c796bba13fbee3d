// Reading many objects at once: one container view, one property-collector retrieval over it, page after
// page.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "inventory/inventory.h"
#include "inventory/kinds.h"
#include "vcenter/connection.h"

namespace vmcp::inventory {

// One ObjectContent of the reply; may be taken apart. Called in the order of vCenter's answer.
using OnObject = std::function<void(Json& content)>;

// Every object of the given types (and their subtypes) below the root folder, and the root folder itself when
// it is a "Folder" that is asked for. The view is destroyed whatever happens. More than limits.max_objects is
// an error.
Result<void> read_all(vcenter::Connection& vc, const std::vector<TypeProperties>& what, const Limits& limits,
                      const CallLimits& call, const OnObject& on_object);

// An object to be read: its exact type and MoRef.
struct Reference {
  std::string type, id;
};

// These objects, with what is asked of their types. Code::not_found when vCenter does not know one of them.
Result<void> read_some(vcenter::Connection& vc, const std::vector<TypeProperties>& what,
                       const std::vector<Reference>& objects, const Limits& limits, const CallLimits& call,
                       const OnObject& on_object);

// One object, with what is asked of its type and its base types. Code::not_found when vCenter knows no such
// object.
Result<void> read_one(vcenter::Connection& vc, const std::vector<TypeProperties>& what, std::string_view type,
                      const std::string& id, const Limits& limits, const CallLimits& call,
                      const OnObject& on_object);

}  // namespace vmcp::inventory
