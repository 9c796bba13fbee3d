// One object of a vCenter's inventory, as policy, pipeline and plugins speak of it.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"

namespace vmcp::inventory {

struct Object {
  std::string kind;     // "vm", "host", "datastore", "network", "datacenter", "cluster", "folder", "snapshot"
  std::string type;     // vim25 type, "VirtualMachine"
  std::string vcenter;  // the Connection's name
  std::string id;       // MoRef value, "vm-3301"
  std::string name;
  std::string path;    // inventory path "/north/vm/prod/ledger-db"; empty for parts of an object
  std::string within;  // MoRef of the object that this is a part of (a snapshot's VM); else empty
  // Where it is, as inventory paths. An object whose own path starts with "/?" may be in one that this
  // server's vCenter account may not read: for such an object empty does not mean "in none".
  std::string datacenter{};  // "/north", its own path for a datacenter; empty when in none
  std::string cluster{};     // "/north/host/cluster-a", of a cluster and what is below it in the tree; a
                             // standalone host is in none, and a VM's is only told by Inventory::facts
};

// policy's visible(principal, object), bound to the caller. [any thread]
using Visible = std::function<bool(const Object&)>;

}  // namespace vmcp::inventory
