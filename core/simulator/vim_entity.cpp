// ManagedEntity's own properties, folders and datacenters.
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

bool empty_list(std::string& out, const Subject&) {
  return put_empty_list(out);
}

bool recent_tasks(std::string& out, const Subject& s) {
  std::vector<const Task*> mine;
  for (const std::string& id : s.world.tasks.recent()) {
    const Task* task = s.world.model.find_as<Task>(id);
    if (task != nullptr && task->entity_id == s.entity.id) mine.push_back(task);
  }
  return put_morefs(out, mine);
}

bool child_types(std::string& out, const Subject& s) {
  switch (s.as<Folder>().type) {
    case FolderType::datacenter:
      out += R"(["Folder","Datacenter"])";
      break;
    case FolderType::vm:
      out += R"(["Folder","VirtualMachine","VirtualApp"])";
      break;
    case FolderType::host:
      out += R"(["Folder","ComputeResource"])";
      break;
    case FolderType::datastore:
      out += R"(["Folder","Datastore","StoragePod"])";
      break;
    case FolderType::network:
      out += R"(["Folder","Network","DistributedVirtualSwitch"])";
      break;
  }
  return true;
}

const Node kEntity[] = {
    seen("name", "string", [](std::string& o, const Subject& s) { return put(o, s.entity.name); }),
    seen("parent", "ManagedObjectReference",
         [](std::string& o, const Subject& s) {
           return s.entity.parent != nullptr && put_moref(o, *s.entity.parent);
         }),
    leaf("overallStatus", "ManagedEntityStatus",
         [](std::string& o, const Subject&) { return put(o, "green"); }),
    leaf("configStatus", "ManagedEntityStatus",
         [](std::string& o, const Subject&) { return put(o, "green"); }),
    yes("alarmActionsEnabled"),
    leaf("configIssue", "ArrayOfEvent", empty_list),
    leaf("disabledMethod", "ArrayOfString", empty_list),
    leaf("recentTask", "ArrayOfManagedObjectReference", recent_tasks),
    seen("effectiveRole", "ArrayOfInt",
         [](std::string& o, const Subject&) {
           o += "[-1]";
           return true;
         }),
    seen("declaredAlarmState", "ArrayOfAlarmState", empty_list),
    seen("triggeredAlarmState", "ArrayOfAlarmState", empty_list),
    seen("customValue", "ArrayOfCustomFieldValue", empty_list),
    seen("tag", "ArrayOfTag", empty_list),
    seen("availableField", "ArrayOfCustomFieldDef", empty_list),
    seen("value", "ArrayOfCustomFieldValue", empty_list),
    absent("permission"),
};

const Node kFolder[] = {
    seen("childEntity", "ArrayOfManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_morefs(o, s.as<Folder>().children); }),
    seen("childType", "ArrayOfString", child_types),
    absent("namespace"),
};

const Node kDatacenterConfig[] = {absent("defaultHardwareVersionKey maximumHardwareVersionKey")};

const Node kDatacenter[] = {
    seen("vmFolder", "ManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_moref(o, *s.as<Datacenter>().vm_folder); }),
    seen("hostFolder", "ManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_moref(o, *s.as<Datacenter>().host_folder); }),
    seen("datastoreFolder", "ManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_moref(o, *s.as<Datacenter>().datastore_folder); }),
    seen("networkFolder", "ManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_moref(o, *s.as<Datacenter>().network_folder); }),
    leaf("datastore", "ArrayOfManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_morefs(o, s.as<Datacenter>().datastores); }),
    leaf("network", "ArrayOfManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_morefs(o, s.as<Datacenter>().networks); }),
    structure("configuration", "DatacenterConfigInfo", kDatacenterConfig),
};

}  // namespace

std::span<const Node> entity_nodes() {
  return kEntity;
}
std::span<const Node> folder_nodes() {
  return kFolder;
}
std::span<const Node> datacenter_nodes() {
  return kDatacenter;
}

}  // namespace vmcp::simulator
