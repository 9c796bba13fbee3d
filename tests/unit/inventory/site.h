// A small vCenter for the tests: /north with a cluster of two hosts, a standalone host, four VMs, and /south.
#pragma once

#include "unit/inventory/fake_connection.h"

namespace vmcp::inventory {

inline FakeObject node(const std::string& type, const std::string& id, const std::string& name,
                       const std::string& parent_type, const std::string& parent) {
  FakeObject out{type, id, {{"name", text(name)}}, {}};
  if (!parent.empty()) out.properties["parent"] = ref(parent_type, parent);
  return out;
}

inline FakeObject machine(const std::string& id, const std::string& name, const std::string& folder,
                          const std::string& host, const std::string& power) {
  FakeObject out = node("VirtualMachine", id, name, "Folder", folder);
  out.properties["runtime.host"] = ref("HostSystem", host);
  out.properties["runtime.powerState"] = boxed("VirtualMachinePowerState", power);
  return out;
}

inline void fill_site(FakeConnection& vc) {
  auto& o = vc.objects;
  o.push_back(node("Folder", "group-d1", "Datacenters", "", ""));
  for (const char* dc : {"3", "4"}) {
    std::string id = std::string("datacenter-") + dc;
    o.push_back(node("Datacenter", id, dc == std::string("3") ? "north" : "south", "Folder", "group-d1"));
    for (const char* part : {"vm", "host", "datastore", "network"})
      o.push_back(node("Folder", std::string("group-") + part[0] + dc, part, "Datacenter", id));
  }
  o.push_back(node("Folder", "group-v9", "prod", "Folder", "group-v3"));
  o.push_back(node("Folder", "group-v10", "db", "Folder", "group-v9"));
  o.push_back(node("ClusterComputeResource", "domain-c8", "prod", "Folder", "group-h3"));
  o.push_back(node("HostSystem", "host-31", "esx1", "ClusterComputeResource", "domain-c8"));
  o.push_back(node("HostSystem", "host-32", "esx2", "ClusterComputeResource", "domain-c8"));
  o.push_back(node("ComputeResource", "domain-s7", "esx3", "Folder", "group-h4"));
  o.push_back(node("HostSystem", "host-33", "esx3", "ComputeResource", "domain-s7"));
  o.push_back(node("Datastore", "datastore-44", "ds-a", "Folder", "group-d3"));
  o.back().properties["host"] =
      boxed("ArrayOfDatastoreHostMount",
            Json::array({{{"_typeName", "DatastoreHostMount"}, {"key", ref("HostSystem", "host-31")}}}));
  o.push_back(node("Network", "network-9", "VM Network", "Folder", "group-n3"));
  o.back().properties["host"] =
      boxed("ArrayOfManagedObjectReference", Json::array({ref("HostSystem", "host-32")}));
  o.push_back(node("DistributedVirtualPortgroup", "dvportgroup-21", "pg-a", "Folder", "group-n3"));
  o.push_back(machine("vm-1", "ledger-db", "group-v10", "host-31", "poweredOn"));
  o.push_back(machine("vm-2", "ledger-web", "group-v9", "host-32", "poweredOff"));
  o.push_back(machine("vm-3", "ledger-db", "group-v4", "host-33", "poweredOn"));
  o.push_back(machine("vm-4", "build", "group-v3", "host-31", "suspended"));
}

}  // namespace vmcp::inventory
