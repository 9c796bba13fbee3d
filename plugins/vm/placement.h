// Where virtual machines run: names of hosts and clusters for the host ids that VMs carry.
#pragma once

#include <map>
#include <string>
#include "common/json.h"

namespace vmcp::plugins::vm {

class Placement {
 public:
  // Looks up the hosts of all VMs of a page at once: two requests, however many VMs there are. What cannot be
  // looked up (not visible to the caller, vCenter away) leaves ids without names.
  static Placement of_vms(call& c, const json& vm_objects);

  // Adds "host" and "cluster" ({"id","name"}) of one VM object that has the property runtime.host.
  void add_to(json& item, const json& vm_object) const;

 private:
  struct Host {
    std::string name, cluster;
  };
  std::map<std::string, Host> hosts_;            // by id
  std::map<std::string, std::string> clusters_;  // name by id
};

}  // namespace vmcp::plugins::vm
