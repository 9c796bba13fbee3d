// The snapshots of one virtual machine, flat.
#pragma once

#include <string>
#include <vector>
#include "common/json.h"

namespace vmcp::plugins::snapshot {

struct Snapshot {
  std::string id;  // "snapshot-410"
  std::string name, description, created;
  std::string power_state;  // of the VM when it was taken, as the Automation API spells it
  std::string parent;       // id; empty for a root
  std::vector<std::string> children;
  int depth = 0;
  bool quiesced = false;
  bool current = false;  // the VM's disks go on from here
};

struct Tree {
  reply source;                     // failed: nothing was read
  std::vector<Snapshot> snapshots;  // every parent before its children
  bool truncated = false;           // more than we read: deeper or more of them

  const Snapshot* find(const std::string& id) const;
};

// The snapshots in a VirtualMachineSnapshotInfo; none in a null.
Tree tree_of(const json& info);

Tree read_tree(const call& c, const std::string& vm);

}  // namespace vmcp::plugins::snapshot
