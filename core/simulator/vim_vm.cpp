// VirtualMachine: everything but its configuration and its guest.
#include "simulator/statistics.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

bool vm_zero(Out& out, const Subject&) {
  return put(out, 0);
}
bool readable(Out&, const Subject& s) {
  return s.as<Vm>().accessible;
}
bool running(const Subject& s) {
  return s.as<Vm>().power == Power::on;
}

bool heartbeat(Out& out, const Subject& s) {
  return put(out, s.as<Vm>().tools_running() ? "green" : "gray");
}
bool self(Out& out, const Subject& s) {
  return put_moref(out, s.entity);
}
bool entitlement(Out& out, const Subject& s) {
  return put(out, running(s) ? s.as<Vm>().memory_mb : 0);
}
bool cpu_used(Out& out, const Subject& s) {
  return put(out, usage_of(s.vm(), s.now()).cpu_mhz);
}
bool consumed(Out& out, const Subject& s) {
  return put(out, usage_of(s.vm(), s.now()).memory_consumed_mb);
}
bool active(Out& out, const Subject& s) {
  return put(out, usage_of(s.vm(), s.now()).memory_active_mb);
}
int cpu_limit(const Vm& vm) {
  return vm.cpus * vm.host->cpu_mhz;
}

const Node kVmQuickStats[] = {
    leaf("overallCpuUsage", "int", cpu_used),
    leaf("overallCpuDemand", "int", cpu_used),
    leaf("overallCpuReadiness", "int", vm_zero),
    leaf("guestMemoryUsage", "int", active),
    leaf("hostMemoryUsage", "int", consumed),
    leaf("guestHeartbeatStatus", "ManagedEntityStatus", heartbeat),
    leaf("distributedCpuEntitlement", "int", cpu_used),
    leaf("distributedMemoryEntitlement", "int", consumed),
    leaf("staticCpuEntitlement", "int",
         [](Out& o, const Subject& s) { return put(o, running(s) ? cpu_limit(s.as<Vm>()) : 0); }),
    leaf("staticMemoryEntitlement", "int", entitlement),
    leaf("grantedMemory", "int", entitlement),
    leaf("privateMemory", "int", consumed),
    leaf("sharedMemory", "int", vm_zero),
    leaf("swappedMemory", "int", vm_zero),
    leaf("balloonedMemory", "int", vm_zero),
    leaf("consumedOverheadMemory", "int",
         [](Out& o, const Subject& s) { return put(o, running(s) ? 30 + s.as<Vm>().cpus * 8 : 0); }),
    leaf("ftLogBandwidth", "int", [](Out& o, const Subject&) { return put(o, -1); }),
    leaf("ftSecondaryLatency", "int", [](Out& o, const Subject&) { return put(o, -1); }),
    leaf("ftLatencyStatus", "ManagedEntityStatus", [](Out& o, const Subject&) { return put(o, "gray"); }),
    leaf("compressedMemory", "long", vm_zero),
    leaf("uptimeSeconds", "int",
         [](Out& o, const Subject& s) {
           return put(o, running(s) ? (s.now() - s.as<Vm>().boot_time) / 1000 : std::int64_t{0});
         }),
    leaf("ssdSwappedMemory", "long", vm_zero),
    leaf("activeMemory", "int", active),
    absent("memoryTierStats"),
};

const Node kVmRuntime[] = {
    leaf("host", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           return s.as<Vm>().host != nullptr && put_moref(o, *s.as<Vm>().host);
         }),
    leaf("connectionState", "VirtualMachineConnectionState",
         [](Out& o, const Subject& s) {
           return put(o, s.as<Vm>().accessible ? "connected" : "inaccessible");
         }),
    leaf("powerState", "VirtualMachinePowerState",
         [](Out& o, const Subject& s) { return put(o, vim_name(s.as<Vm>().power)); }),
    leaf("faultToleranceState", "VirtualMachineFaultToleranceState",
         [](Out& o, const Subject&) { return put(o, "notConfigured"); }),
    no("toolsInstallerMounted"),
    leaf("suspendTime", "dateTime",
         [](Out& o, const Subject& s) {
           return s.as<Vm>().power == Power::suspended && put_time(o, s.as<Vm>().suspend_time);
         }),
    leaf("bootTime", "dateTime",
         [](Out& o, const Subject& s) { return running(s) && put_time(o, s.as<Vm>().boot_time); }),
    leaf("suspendInterval", "long", vm_zero),
    leaf("memoryOverhead", "long",
         [](Out& o, const Subject& s) {
           return running(s) && put(o, static_cast<std::int64_t>(30 + s.as<Vm>().cpus * 8) << 20);
         }),
    leaf("maxCpuUsage", "int",
         [](Out& o, const Subject& s) { return s.as<Vm>().accessible && put(o, cpu_limit(s.as<Vm>())); }),
    leaf("maxMemoryUsage", "int",
         [](Out& o, const Subject& s) { return s.as<Vm>().accessible && put(o, s.as<Vm>().memory_mb); }),
    leaf("numMksConnections", "int", vm_zero),
    leaf("recordReplayState", "VirtualMachineRecordReplayState",
         [](Out& o, const Subject&) { return put(o, "inactive"); }),
    leaf("cleanPowerOff", "boolean",
         [](Out& o, const Subject& s) {
           return s.as<Vm>().power == Power::off && put(o, s.as<Vm>().clean_power_off);
         }),
    no("onlineStandby"),
    no("consolidationNeeded"),
    no("paused"),
    no("snapshotInBackground"),
    no("instantCloneFrozen"),
    absent(
        "cryptoState dasVmProtection device featureMask featureRequirement iommuActive minRequiredEVCModeKey "
        "needSecondaryReason offlineFeatureRequirement opNotificationTimeout question quiescedForkParent "
        "suspendedToMemory vFlashCacheAllocation vmFailoverInProgress"),
};

// With the configuration unreadable only what the inventory itself knows is left.
bool number_if_readable(Out& out, const Subject& s, std::int64_t value) {
  return s.as<Vm>().accessible && put(out, value);
}
bool text_if_readable(Out& out, const Subject& s, std::string_view value) {
  return s.as<Vm>().accessible && put(out, value);
}

const Node kVmConfigSummary[] = {
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, s.entity.name); }),
    leaf("template", "boolean", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().is_template); }),
    leaf("vmPathName", "string",
         [](Out& o, const Subject& s) {
           const Vm& vm = s.as<Vm>();
           const std::string& disk = vm.disks.front().file;
           return put(o, disk.substr(0, disk.rfind('.')) + ".vmx");
         }),
    leaf("memorySizeMB", "int",
         [](Out& o, const Subject& s) { return number_if_readable(o, s, s.as<Vm>().memory_mb); }),
    leaf("cpuReservation", "int", [](Out& o, const Subject& s) { return number_if_readable(o, s, 0); }),
    leaf("memoryReservation", "int", [](Out& o, const Subject& s) { return number_if_readable(o, s, 0); }),
    leaf("numCpu", "int", [](Out& o, const Subject& s) { return number_if_readable(o, s, s.as<Vm>().cpus); }),
    leaf("numEthernetCards", "int",
         [](Out& o, const Subject& s) {
           return number_if_readable(o, s, static_cast<std::int64_t>(s.as<Vm>().nics.size()));
         }),
    leaf("numVirtualDisks", "int",
         [](Out& o, const Subject& s) {
           return number_if_readable(o, s, static_cast<std::int64_t>(s.as<Vm>().disks.size()));
         }),
    leaf("uuid", "string",
         [](Out& o, const Subject& s) { return text_if_readable(o, s, s.as<Vm>().bios_uuid); }),
    leaf("instanceUuid", "string",
         [](Out& o, const Subject& s) { return text_if_readable(o, s, s.as<Vm>().instance_uuid); }),
    leaf("guestId", "string",
         [](Out& o, const Subject& s) { return text_if_readable(o, s, s.as<Vm>().guest->vim_id); }),
    leaf("guestFullName", "string",
         [](Out& o, const Subject& s) { return text_if_readable(o, s, s.as<Vm>().guest->full_name); }),
    leaf("annotation", "string", [](Out& o, const Subject& s) { return text_if_readable(o, s, ""); }),
    leaf("installBootRequired", "boolean",
         [](Out& o, const Subject& s) { return s.as<Vm>().accessible && put(o, false); }),
    leaf("hwVersion", "string", [](Out& o, const Subject& s) { return text_if_readable(o, s, "vmx-19"); }),
    absent("ftInfo managedBy numVmiopBackings product tpmPresent"),
};

const Node kStorageSummary[] = {
    leaf("committed", "long", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().committed()); }),
    leaf("uncommitted", "long", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().uncommitted()); }),
    leaf("unshared", "long", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().committed()); }),
    leaf("timestamp", "dateTime", [](Out& o, const Subject& s) { return put_time(o, s.now()); }),
};

bool datastore_usage(Out& out, const Subject& s) {
  const Vm& vm = s.as<Vm>();
  return put_json(out, Json::array({{{"_typeName", "VirtualMachineUsageOnDatastore"},
                                     {"datastore", moref(*vm.datastore)},
                                     {"committed", vm.committed()},
                                     {"uncommitted", vm.uncommitted()},
                                     {"unshared", vm.committed()}}}));
}

const Node kStorage[] = {
    leaf("perDatastoreUsage", "ArrayOfVirtualMachineUsageOnDatastore", datastore_usage),
    leaf("timestamp", "dateTime", [](Out& o, const Subject& s) { return put_time(o, s.now()); }),
};

const Node kVmSummary[] = {
    leaf("vm", "ManagedObjectReference", self),
    structure("runtime", "VirtualMachineRuntimeInfo", kVmRuntime),
    structure("guest", "VirtualMachineGuestSummary", guest_summary_nodes(), readable),
    structure("config", "VirtualMachineConfigSummary", kVmConfigSummary),
    structure("storage", "VirtualMachineStorageSummary", kStorageSummary),
    structure("quickStats", "VirtualMachineQuickStats", kVmQuickStats),
    leaf("overallStatus", "ManagedEntityStatus", [](Out& o, const Subject&) { return put(o, "green"); }),
    absent("customValue"),
};

bool snapshots_exist(Out&, const Subject& s) {
  return has_snapshots(s.as<Vm>());
}

const Node kSnapshotInfo[] = {
    leaf("currentSnapshot", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           const Snapshot* current = s.as<Vm>().current_snapshot;
           return current != nullptr && put_moref(o, *current);
         }),
    leaf("rootSnapshotList", "ArrayOfVirtualMachineSnapshotTree",
         [](Out& o, const Subject& s) { return put_snapshot_list(o, s.as<Vm>().snapshot_roots); }),
};

bool networks(Out& out, const Subject& s) {
  std::vector<const Network*> list;
  for (const Nic& nic : s.as<Vm>().nics) {
    if (list.empty() || list.back() != nic.network) list.push_back(nic.network);
  }
  return put_morefs(out, list);
}

const Node kVm[] = {
    structure("capability", "VirtualMachineCapability", capability_nodes()),
    structure("config", "VirtualMachineConfigInfo", vm_config_nodes(), readable),
    seen("datastore", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) {
           return put_morefs(o, std::vector<const Entity*>{s.as<Vm>().datastore});
         }),
    leaf("environmentBrowser", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           return put_moref(o, "EnvironmentBrowser", "envbrowser-" + s.entity.id.substr(3));
         }),
    structure("guest", "GuestInfo", guest_nodes(), readable),
    leaf("guestHeartbeatStatus", "ManagedEntityStatus", heartbeat),
    seen("network", "ArrayOfManagedObjectReference", networks),
    leaf("resourcePool", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           return s.as<Vm>().pool != nullptr && put_moref(o, *s.as<Vm>().pool);
         }),
    leaf("rootSnapshot", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Vm>().snapshot_roots); }),
    structure("runtime", "VirtualMachineRuntimeInfo", kVmRuntime),
    structure("snapshot", "VirtualMachineSnapshotInfo", kSnapshotInfo, snapshots_exist),
    structure("storage", "VirtualMachineStorageInfo", kStorage),
    structure("summary", "VirtualMachineSummary", kVmSummary),
    absent("layout layoutEx parentVApp resourceConfig"),
};

}  // namespace

std::span<const Node> vm_nodes() {
  return kVm;
}

}  // namespace vmcp::simulator
