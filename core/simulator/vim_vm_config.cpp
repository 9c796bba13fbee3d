// VirtualMachine: its configuration and its devices.
#include "simulator/vim_nodes.h"
#include "simulator/vm_operations.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

bool text(Out& out, const char* value) {
  return put(out, std::string_view(value));
}

std::string path_without_extension(const Vm& vm) {
  const std::string& disk = vm.disks.front().file;
  return disk.substr(0, disk.rfind('.'));
}
std::string directory_of(const Vm& vm) {
  const std::string& disk = vm.disks.front().file;
  return disk.substr(0, disk.rfind('/') + 1);
}
bool directory(Out& out, const Subject& s) {
  return put(out, directory_of(s.as<Vm>()));
}

const Node kFiles[] = {
    leaf("vmPathName", "string",
         [](Out& o, const Subject& s) { return put(o, path_without_extension(s.as<Vm>()) + ".vmx"); }),
    leaf("snapshotDirectory", "string", directory),
    leaf("suspendDirectory", "string", directory),
    leaf("logDirectory", "string", directory),
    absent("ftMetadataDirectory"),
};

const Node kTools[] = {
    leaf("toolsVersion", "int",
         [](Out& o, const Subject& s) { return put(o, s.as<Vm>().tools_installed ? 12'389 : 0); }),
    leaf("toolsUpgradePolicy", "string", [](Out& o, const Subject&) { return text(o, "manual"); }),
    yes("afterPowerOn"),
    yes("afterResume"),
    yes("beforeGuestStandby"),
    yes("beforeGuestShutdown"),
    no("syncTimeWithHost"),
    absent(
        "beforeGuestReboot customizationKeyId lastInstallInfo pendingCustomization syncTimeWithHostAllowed "
        "toolsInstallType"),
};

const Node kFlags[] = {
    no("disableAcceleration"),
    yes("enableLogging"),
    no("useToe"),
    no("runWithDebugInfo"),
    no("snapshotDisabled"),
    no("snapshotLocked"),
    no("diskUuidEnabled"),
    leaf("snapshotPowerOffBehavior", "string", [](Out& o, const Subject&) { return text(o, "powerOff"); }),
    absent("cbrcCacheEnabled faultToleranceType htSharing monitorType recordReplayEnabled vbsEnabled "
           "virtualExecUsage "
           "virtualMmuUsage vvtdEnabled"),
};

const Node kPowerOps[] = {
    leaf("powerOffType", "string", [](Out& o, const Subject&) { return text(o, "soft"); }),
    leaf("suspendType", "string", [](Out& o, const Subject&) { return text(o, "hard"); }),
    leaf("resetType", "string", [](Out& o, const Subject&) { return text(o, "soft"); }),
    leaf("defaultPowerOffType", "string", [](Out& o, const Subject&) { return text(o, "soft"); }),
    leaf("defaultSuspendType", "string", [](Out& o, const Subject&) { return text(o, "hard"); }),
    leaf("defaultResetType", "string", [](Out& o, const Subject&) { return text(o, "soft"); }),
    leaf("standbyAction", "string", [](Out& o, const Subject&) { return text(o, "checkpoint"); }),
};

const Node kVmHardware[] = {
    leaf("numCPU", "int", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().cpus); }),
    leaf("numCoresPerSocket", "int",
         [](Out& o, const Subject& s) { return put(o, s.as<Vm>().cores_per_socket); }),
    leaf("memoryMB", "int", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().memory_mb); }),
    leaf("device", "ArrayOfVirtualDevice",
         [](Out& o, const Subject& s) { return put_devices(o, s.as<Vm>()); }),
    absent("autoCoresPerSocket motherboardLayout simultaneousThreads virtualICH7MPresent virtualSMCPresent"),
};

const Node kShares[] = {
    leaf("level", "SharesLevel", [](Out& o, const Subject&) { return text(o, "normal"); }),
    leaf("shares", "int", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().cpus * 1000); }),
};
const Node kMemoryShares[] = {
    leaf("level", "SharesLevel", [](Out& o, const Subject&) { return text(o, "normal"); }),
    leaf("shares", "int", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().memory_mb * 10); }),
};
const Node kCpuAllocation[] = {
    leaf("reservation", "long", [](Out& o, const Subject&) { return put(o, 0); }),
    no("expandableReservation"),
    leaf("limit", "long", [](Out& o, const Subject&) { return put(o, -1); }),
    structure("shares", "SharesInfo", kShares),
    absent("overheadLimit"),
};
const Node kMemoryAllocation[] = {
    leaf("reservation", "long", [](Out& o, const Subject&) { return put(o, 0); }),
    no("expandableReservation"),
    leaf("limit", "long", [](Out& o, const Subject&) { return put(o, -1); }),
    structure("shares", "SharesInfo", kMemoryShares),
    absent("overheadLimit"),
};

bool hot_memory(const Vm& vm) {
  return vm.memory_hot_add && vm.power == Power::on;
}

const Node kConfig[] = {
    leaf("changeVersion", "string", [](Out& o, const Subject& s) { return put_time(o, s.as<Vm>().created); }),
    leaf("modified", "dateTime", [](Out& o, const Subject&) { return put_time(o, 0); }),
    leaf("createDate", "dateTime", [](Out& o, const Subject& s) { return put_time(o, s.as<Vm>().created); }),
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, s.entity.name); }),
    leaf("guestFullName", "string",
         [](Out& o, const Subject& s) { return text(o, s.as<Vm>().guest->full_name); }),
    leaf("guestId", "string", [](Out& o, const Subject& s) { return text(o, s.as<Vm>().guest->vim_id); }),
    leaf("alternateGuestName", "string", [](Out& o, const Subject&) { return text(o, ""); }),
    leaf("version", "string", [](Out& o, const Subject&) { return text(o, "vmx-19"); }),
    leaf("uuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().bios_uuid); }),
    leaf("instanceUuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().instance_uuid); }),
    leaf("locationId", "string", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().bios_uuid); }),
    leaf("template", "boolean", [](Out& o, const Subject& s) { return put(o, s.as<Vm>().is_template); }),
    leaf("annotation", "string", [](Out& o, const Subject&) { return text(o, ""); }),
    structure("files", "VirtualMachineFileInfo", kFiles),
    structure("tools", "ToolsConfigInfo", kTools),
    structure("flags", "VirtualMachineFlagInfo", kFlags),
    structure("defaultPowerOps", "VirtualMachineDefaultPowerOpInfo", kPowerOps),
    structure("hardware", "VirtualHardware", kVmHardware),
    structure("cpuAllocation", "ResourceAllocationInfo", kCpuAllocation),
    structure("memoryAllocation", "ResourceAllocationInfo", kMemoryAllocation),
    leaf("cpuHotAddEnabled", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Vm>().cpu_hot_add); }),
    leaf("cpuHotRemoveEnabled", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Vm>().cpu_hot_remove); }),
    leaf("memoryHotAddEnabled", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Vm>().memory_hot_add); }),
    leaf("hotPlugMemoryLimit", "long",
         [](Out& o, const Subject& s) {
           return hot_memory(s.as<Vm>()) && put(o, hot_add_limit_mb(s.as<Vm>()));
         }),
    leaf("hotPlugMemoryIncrementSize", "long",
         [](Out& o, const Subject& s) { return hot_memory(s.as<Vm>()) && put(o, kHotAddStepMb); }),
    leaf("firmware", "string", [](Out& o, const Subject&) { return text(o, "efi"); }),
    no("changeTrackingEnabled"),
    absent(
        "bootOptions consolePreferences contentLibItemInfo cpuAffinity cpuFeatureMask datastoreUrl "
        "deviceGroups "
        "deviceSwap extraConfig fixedPassthruHotPlugEnabled forkConfigInfo ftEncryptionMode ftInfo "
        "guestAutoLockEnabled guestIntegrityInfo guestMonitoringModeInfo initialOverhead keyId "
        "latencySensitivity "
        "managedBy maxMksConnections memoryAffinity memoryReservationLockedToMax messageBusTunnelEnabled "
        "metroFtEnabled metroFtHostGroup migrateEncryption nestedHVEnabled networkShaper npivDesiredNodeWwns "
        "npivDesiredPortWwns npivNodeWorldWideName npivOnNonRdmDisks npivPortWorldWideName "
        "npivTemporaryDisabled "
        "npivWorldWideNameType numaInfo pmem pmemFailoverEnabled rebootPowerOff repConfig "
        "scheduledHardwareUpgradeInfo sevEnabled sgxInfo swapPlacement swapStorageObjectId vAppConfig "
        "vAssertsEnabled vFlashCacheReservation vPMCEnabled vcpuConfig vmOpNotificationTimeout "
        "vmOpNotificationToAppEnabled vmStorageObjectId vmxConfigChecksum vmxStatsCollectionEnabled"),
};

Json description(std::string label, std::string summary) {
  return {{"_typeName", "Description"}, {"label", std::move(label)}, {"summary", std::move(summary)}};
}

Json disk_device(const Vm& vm, const Disk& disk, std::size_t index) {
  return {{"_typeName", "VirtualDisk"},
          {"key", disk.key},
          {"deviceInfo", description("Hard disk " + std::to_string(index + 1),
                                     std::to_string(disk.capacity >> 10) + " KB")},
          {"controllerKey", 1000},
          {"unitNumber", index},
          {"capacityInKB", disk.capacity >> 10},
          {"capacityInBytes", disk.capacity},
          {"backing",
           {{"_typeName", "VirtualDiskFlatVer2BackingInfo"},
            {"fileName", disk.file},
            {"datastore", moref(*vm.datastore)},
            {"diskMode", "persistent"},
            {"thinProvisioned", true}}}};
}

Json nic_device(const Vm& vm, const Nic& nic, std::size_t index) {
  Json backing;
  if (nic.network->distributed()) {
    backing = {{"_typeName", "VirtualEthernetCardDistributedVirtualPortBackingInfo"},
               {"port",
                {{"_typeName", "DistributedVirtualSwitchPortConnection"},
                 {"switchUuid", nic.network->dvs->uuid},
                 {"portgroupKey", nic.network->id}}}};
  } else {
    backing = {{"_typeName", "VirtualEthernetCardNetworkBackingInfo"},
               {"deviceName", nic.network->name},
               {"network", moref(*nic.network)}};
  }
  return {{"_typeName", "VirtualVmxnet3"},
          {"key", nic.key},
          {"deviceInfo", description("Network adapter " + std::to_string(index + 1), nic.network->name)},
          {"controllerKey", 100},
          {"unitNumber", 7 + index},
          {"addressType", "assigned"},
          {"macAddress", nic.mac},
          {"wakeOnLanEnabled", true},
          {"backing", std::move(backing)},
          {"connectable",
           {{"_typeName", "VirtualDeviceConnectInfo"},
            {"startConnected", true},
            {"allowGuestControl", true},
            {"connected", vm.power == Power::on},
            {"status", vm.power == Power::on ? "ok" : "untried"}}}};
}

Json controllers(const Vm& vm) {
  Json disks = Json::array();
  for (const Disk& disk : vm.disks) disks.push_back(disk.key);
  return Json::array({{{"_typeName", "VirtualPCIController"},
                       {"key", 100},
                       {"deviceInfo", description("PCI controller 0", "PCI controller 0")},
                       {"busNumber", 0}},
                      {{"_typeName", "ParaVirtualSCSIController"},
                       {"key", 1000},
                       {"deviceInfo", description("SCSI controller 0", "VMware paravirtual SCSI")},
                       {"controllerKey", 100},
                       {"busNumber", 0},
                       {"device", std::move(disks)},
                       {"sharedBus", "noSharing"},
                       {"hotAddRemove", true},
                       {"scsiCtlrUnitNumber", 7}},
                      {{"_typeName", "VirtualAHCIController"},
                       {"key", 15'000},
                       {"deviceInfo", description("SATA controller 0", "AHCI")},
                       {"controllerKey", 100},
                       {"busNumber", 0},
                       {"device", Json::array({16'000})}}});
}

}  // namespace

bool put_devices(std::string& out, const Vm& vm) {
  Json list = controllers(vm);
  for (std::size_t i = 0; i < vm.disks.size(); ++i) list.push_back(disk_device(vm, vm.disks[i], i));
  for (std::size_t i = 0; i < vm.nics.size(); ++i) list.push_back(nic_device(vm, vm.nics[i], i));
  list.push_back({{"_typeName", "VirtualCdrom"},
                  {"key", 16'000},
                  {"deviceInfo", description("CD/DVD drive 1", "Remote device")},
                  {"controllerKey", 15'000},
                  {"unitNumber", 0},
                  {"backing",
                   {{"_typeName", "VirtualCdromRemotePassthroughBackingInfo"},
                    {"deviceName", ""},
                    {"useAutoDetect", false},
                    {"exclusive", false}}}});
  return put_json(out, list);
}

std::span<const Node> vm_config_nodes() {
  return kConfig;
}

}  // namespace vmcp::simulator
