// VirtualMachine: its guest and its capabilities.
#include <string_view>

#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

bool windows(const Vm& vm) {
  return std::string_view(vm.guest->api_family) == "WINDOWS";
}
// What the guest tells about itself is known only while its tools run.
bool told(Out& out, const Subject& s, std::string_view value) {
  return s.as<Vm>().tools_running() && put(out, value);
}

bool full_name(Out& out, const Subject& s) {
  return told(out, s, s.as<Vm>().guest->full_name);
}
bool guest_id(Out& out, const Subject& s) {
  return told(out, s, s.as<Vm>().guest->vim_id);
}
bool host_name(Out& out, const Subject& s) {
  return told(out, s, s.as<Vm>().host_name);
}
bool ip_address(Out& out, const Subject& s) {
  return told(out, s, s.as<Vm>().ip_address);
}

bool tools_status(Out& out, const Subject& s) {
  const Vm& vm = s.as<Vm>();
  return put(out, !vm.tools_installed  ? "toolsNotInstalled"
                  : vm.tools_running() ? "toolsOk"
                                       : "toolsNotRunning");
}
bool running_status(Out& out, const Subject& s) {
  return put(out, s.as<Vm>().tools_running() ? "guestToolsRunning" : "guestToolsNotRunning");
}
bool version_status(Out& out, const Subject& s) {
  const Vm& vm = s.as<Vm>();
  return put(out, !vm.tools_installed ? "guestToolsNotInstalled"
                  : windows(vm)       ? "guestToolsCurrent"
                                      : "guestToolsUnmanaged");
}

bool guest_state(Out& out, const Subject& s) {
  const Vm& vm = s.as<Vm>();
  if (vm.power == Power::suspended) return put(out, "standby");
  if (vm.power != Power::on) return put(out, "notRunning");
  if (vm.transition == GuestTransition::shutting_down) return put(out, "shuttingDown");
  if (vm.transition == GuestTransition::resetting) return put(out, "resetting");
  return put(out, vm.tools_running() ? "running" : "unknown");
}

bool operations_ready(Out& out, const Subject& s) {
  return put(out, s.as<Vm>().tools_running());
}

bool nics(Out& out, const Subject& s) {
  const Vm& vm = s.as<Vm>();
  Json list = Json::array();
  for (std::size_t i = 0; vm.tools_running() && i < vm.nics.size(); ++i) {
    const Nic& nic = vm.nics[i];
    Json item = {{"_typeName", "GuestNicInfo"},
                 {"network", nic.network->name},
                 {"macAddress", nic.mac},
                 {"connected", true},
                 {"deviceConfigId", nic.key}};
    if (i == 0) item["ipAddress"] = Json::array({vm.ip_address});
    list.push_back(std::move(item));
  }
  return put_json(out, list);
}

const Node kGuestSummary[] = {
    leaf("guestId", "string", guest_id),
    leaf("guestFullName", "string", full_name),
    leaf("toolsStatus", "VirtualMachineToolsStatus", tools_status),
    leaf("toolsVersionStatus", "string", version_status),
    leaf("toolsVersionStatus2", "string", version_status),
    leaf("toolsRunningStatus", "string", running_status),
    leaf("hostName", "string", host_name),
    leaf("ipAddress", "string", ip_address),
    absent("hwVersion"),
};

const Node kGuest[] = {
    leaf("toolsStatus", "VirtualMachineToolsStatus", tools_status),
    leaf("toolsVersionStatus", "string", version_status),
    leaf("toolsVersionStatus2", "string", version_status),
    leaf("toolsRunningStatus", "string", running_status),
    leaf("toolsVersion", "string",
         [](Out& o, const Subject& s) { return put(o, s.as<Vm>().tools_installed ? "12389" : "0"); }),
    leaf("toolsInstallType", "string",
         [](Out& o, const Subject& s) {
           const Vm& vm = s.as<Vm>();
           return vm.tools_installed &&
                  put(o, windows(vm) ? "guestToolsTypeMSI" : "guestToolsTypeOpenVMTools");
         }),
    leaf("guestId", "string", guest_id),
    leaf("guestFamily", "string",
         [](Out& o, const Subject& s) { return told(o, s, s.as<Vm>().guest->vim_family); }),
    leaf("guestFullName", "string", full_name),
    leaf("hostName", "string", host_name),
    leaf("ipAddress", "string", ip_address),
    leaf("net", "ArrayOfGuestNicInfo", nics),
    leaf("guestState", "string", guest_state),
    leaf("guestOperationsReady", "boolean", operations_ready),
    leaf("interactiveGuestOperationsReady", "boolean", [](Out& o, const Subject&) { return put(o, false); }),
    leaf("guestStateChangeSupported", "boolean", operations_ready),
    absent("appHeartbeatStatus appState customizationInfo disk generationInfo guestDetailedData "
           "guestKernelCrashed "
           "hwVersion ipStack screen"),
};

const Node kVmCapability[] = {
    yes("snapshotOperationsSupported"),
    yes("multipleSnapshotsSupported"),
    yes("snapshotConfigSupported"),
    yes("poweredOffSnapshotsSupported"),
    yes("memorySnapshotsSupported"),
    yes("revertToSnapshotSupported"),
    yes("quiescedSnapshotsSupported"),
    no("disableSnapshotsSupported"),
    no("lockSnapshotsSupported"),
    no("consolePreferencesSupported"),
    yes("cpuFeatureMaskSupported"),
    yes("s1AcpiManagementSupported"),
    no("settingScreenResolutionSupported"),
    no("toolsAutoUpdateSupported"),
    no("vmNpivWwnSupported"),
    no("npivWwnOnNonRdmVmSupported"),
    no("vmNpivWwnDisableSupported"),
    no("vmNpivWwnUpdateSupported"),
    yes("swapPlacementSupported"),
    yes("toolsSyncTimeSupported"),
    yes("virtualMmuUsageSupported"),
    yes("diskSharesSupported"),
    yes("bootOptionsSupported"),
    yes("bootRetryOptionsSupported"),
    yes("settingVideoRamSizeSupported"),
    no("settingDisplayTopologySupported"),
    no("recordReplaySupported"),
    yes("changeTrackingSupported"),
    yes("multipleCoresPerSocketSupported"),
    yes("hostBasedReplicationSupported"),
    yes("guestAutoLockSupported"),
    yes("memoryReservationLockSupported"),
    yes("featureRequirementSupported"),
    no("poweredOnMonitorTypeChangeSupported"),
    no("seSparseDiskSupported"),
    yes("nestedHVSupported"),
    yes("vPMCSupported"),
    absent("changeModeDisksSupported diskOnlySnapshotOnSuspendedVMSupported perVmEvcSupported "
           "pmemFailoverSupported "
           "requireSgxAttestationSupported secureBootSupported sevSupported suspendToMemorySupported "
           "toolsSyncTimeAllowSupported vendorDeviceGroupSupported virtualExecUsageIgnored "
           "virtualMmuUsageIgnored"),
};

}  // namespace

std::span<const Node> guest_nodes() {
  return kGuest;
}
std::span<const Node> guest_summary_nodes() {
  return kGuestSummary;
}
std::span<const Node> capability_nodes() {
  return kVmCapability;
}

}  // namespace vmcp::simulator
