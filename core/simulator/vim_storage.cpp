// Datastore.
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

bool free_bytes(Out& out, const Subject& s) {
  return put(out, free_space(s.as<Datastore>()));
}
bool url(Out& out, const Subject& s) {
  return put(out, "ds:///vmfs/volumes/" + s.as<Datastore>().uuid + "/");
}
bool largest_file(Out& out, const Subject&) {
  return put(out, std::int64_t{70} << 40);
}
bool largest_raw_device(Out& out, const Subject& s) {
  return s.as<Datastore>().type == "VMFS" && put(out, std::int64_t{64} << 40);
}

const Node kDatastoreSummary[] = {
    leaf("datastore", "ManagedObjectReference",
         [](Out& o, const Subject& s) { return put_moref(o, s.entity); }),
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, s.entity.name); }),
    leaf("url", "string", url),
    leaf("capacity", "long", [](Out& o, const Subject& s) { return put(o, s.as<Datastore>().capacity); }),
    leaf("freeSpace", "long", free_bytes),
    leaf("uncommitted", "long",
         [](Out& o, const Subject& s) { return put(o, uncommitted_space(s.as<Datastore>())); }),
    yes("accessible"),
    leaf("multipleHostAccess", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Datastore>().hosts.size() > 1); }),
    leaf("type", "string", [](Out& o, const Subject& s) { return put(o, s.as<Datastore>().type); }),
    leaf("maintenanceMode", "string", [](Out& o, const Subject&) { return put(o, "normal"); }),
};

const Node kCapability[] = {
    yes("directoryHierarchySupported"),
    leaf("rawDiskMappingsSupported", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Datastore>().type == "VMFS"); }),
    yes("perFileThinProvisioningSupported"),
    yes("storageIORMSupported"),
    no("nativeSnapshotSupported"),
    absent("clusteredVmdkSupported seSparseSupported topLevelDirectoryCreateSupported upitSupported "
           "vmdkExpandSupported "
           "vmfsSparseSupported vsanSparseSupported"),
};

bool mounts(Out& out, const Subject& s) {
  const Datastore& store = s.as<Datastore>();
  Json list = Json::array();
  for (const Host* host : store.hosts) {
    list.push_back({{"_typeName", "DatastoreHostMount"},
                    {"key", moref(*host)},
                    {"mountInfo",
                     {{"_typeName", "HostMountInfo"},
                      {"path", "/vmfs/volumes/" + store.uuid},
                      {"accessMode", "readWrite"},
                      {"mounted", true},
                      {"accessible", true}}}});
  }
  return put_json(out, list);
}

const Node kDatastoreInfo[] = {
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, s.entity.name); }),
    leaf("url", "string", url),
    leaf("freeSpace", "long", free_bytes),
    leaf("maxFileSize", "long", largest_file),
    leaf("maxVirtualDiskCapacity", "long", largest_file),
    leaf("maxMemoryFileSize", "long", largest_file),
    leaf("timestamp", "dateTime", [](Out& o, const Subject& s) { return put_time(o, s.now()); }),
    leaf("maxPhysicalRDMFileSize", "long", largest_raw_device),
    leaf("maxVirtualRDMFileSize", "long", largest_raw_device),
    absent("aliasOf containerId"),
};

const char* info_type(const Subject& s) {
  return s.as<Datastore>().type == "VMFS" ? "VmfsDatastoreInfo" : "NasDatastoreInfo";
}

const Node kDatastore[] = {
    structure("summary", "DatastoreSummary", kDatastoreSummary),
    structure("capability", "DatastoreCapability", kCapability),
    {"info", "DatastoreInfo", nullptr, kDatastoreInfo, true, false, false, info_type},
    leaf("host", "ArrayOfDatastoreHostMount", mounts),
    leaf("vm", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Datastore>().vms); }),
    leaf("browser", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           return put_moref(o, "HostDatastoreBrowser", "datastoreBrowser-" + s.entity.id);
         }),
    absent("iormConfiguration"),
};

}  // namespace

std::span<const Node> datastore_nodes() {
  return kDatastore;
}

}  // namespace vmcp::simulator
