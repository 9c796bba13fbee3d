// HostSystem.
#include "simulator/statistics.h"
#include "simulator/vim_nodes.h"
#include "simulator/vim_service.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

bool host_zero(Out& out, const Subject&) {
  return put(out, 0);
}

const Node kHardwareSummary[] = {
    leaf("vendor", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().vendor); }),
    leaf("model", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().model); }),
    leaf("uuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().uuid); }),
    leaf("memorySize", "long", [](Out& o, const Subject& s) { return put(o, s.as<Host>().memory_bytes); }),
    leaf("cpuModel", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().cpu_model); }),
    leaf("cpuMhz", "int", [](Out& o, const Subject& s) { return put(o, s.as<Host>().cpu_mhz); }),
    leaf("numCpuPkgs", "short", [](Out& o, const Subject& s) { return put(o, s.as<Host>().packages); }),
    leaf("numCpuCores", "short", [](Out& o, const Subject& s) { return put(o, s.as<Host>().cores); }),
    leaf("numCpuThreads", "short", [](Out& o, const Subject& s) { return put(o, s.as<Host>().threads); }),
    leaf("numNics", "int", [](Out& o, const Subject&) { return put(o, 4); }),
    leaf("numHBAs", "int", [](Out& o, const Subject&) { return put(o, 3); }),
    absent("otherIdentifyingInfo"),
};

const Node kQuickStats[] = {
    leaf("overallCpuUsage", "int",
         [](Out& o, const Subject& s) { return put(o, usage_of(s.host(), s.now()).cpu_mhz); }),
    leaf("overallMemoryUsage", "int",
         [](Out& o, const Subject& s) { return put(o, usage_of(s.host(), s.now()).memory_mb); }),
    leaf("distributedCpuFairness", "int", host_zero),
    leaf("distributedMemoryFairness", "int", host_zero),
    leaf("uptime", "int",
         [](Out& o, const Subject& s) { return put(o, (s.now() - s.as<Host>().boot_time) / 1000); }),
    absent("availablePMemCapacity"),
};

const Node kRuntime[] = {
    leaf("connectionState", "HostSystemConnectionState",
         [](Out& o, const Subject&) { return put(o, "connected"); }),
    leaf("powerState", "HostSystemPowerState", [](Out& o, const Subject&) { return put(o, "poweredOn"); }),
    leaf("standbyMode", "string", [](Out& o, const Subject&) { return put(o, "none"); }),
    leaf("inMaintenanceMode", "boolean",
         [](Out& o, const Subject& s) { return put(o, s.as<Host>().maintenance); }),
    no("inQuarantineMode"),
    leaf("bootTime", "dateTime",
         [](Out& o, const Subject& s) { return put_time(o, s.as<Host>().boot_time); }),
    absent("cryptoKeyId cryptoState dasHostState healthSystemRuntime hostMaxVirtualDiskCapacity "
           "networkRuntimeInfo "
           "partialMaintenanceMode stateEncryption statelessNvdsMigrationReady tpmPcrValues "
           "vFlashResourceRuntimeInfo "
           "vsanRuntimeInfo"),
};

// One member of the host's AboutInfo, so that a property path may end inside of it.
template <const char* member>
bool product(Out& out, const Subject& s) {
  return put(out, about_esx(s.world)[member].get<std::string>());
}

constexpr char kAboutName[] = "name";
constexpr char kAboutFullName[] = "fullName";
constexpr char kAboutVendor[] = "vendor";
constexpr char kAboutVersion[] = "version";
constexpr char kAboutBuild[] = "build";
constexpr char kAboutLocaleVersion[] = "localeVersion";
constexpr char kAboutLocaleBuild[] = "localeBuild";
constexpr char kAboutOsType[] = "osType";
constexpr char kAboutProductLineId[] = "productLineId";
constexpr char kAboutApiType[] = "apiType";
constexpr char kAboutApiVersion[] = "apiVersion";
constexpr char kAboutLicenseProductName[] = "licenseProductName";
constexpr char kAboutLicenseProductVersion[] = "licenseProductVersion";

const Node kHostProduct[] = {
    leaf(kAboutName, "string", product<kAboutName>),
    leaf(kAboutFullName, "string", product<kAboutFullName>),
    leaf(kAboutVendor, "string", product<kAboutVendor>),
    leaf(kAboutVersion, "string", product<kAboutVersion>),
    leaf(kAboutBuild, "string", product<kAboutBuild>),
    leaf(kAboutLocaleVersion, "string", product<kAboutLocaleVersion>),
    leaf(kAboutLocaleBuild, "string", product<kAboutLocaleBuild>),
    leaf(kAboutOsType, "string", product<kAboutOsType>),
    leaf(kAboutProductLineId, "string", product<kAboutProductLineId>),
    leaf(kAboutApiType, "string", product<kAboutApiType>),
    leaf(kAboutApiVersion, "string", product<kAboutApiVersion>),
    leaf(kAboutLicenseProductName, "string", product<kAboutLicenseProductName>),
    leaf(kAboutLicenseProductVersion, "string", product<kAboutLicenseProductVersion>),
    absent("licenseProductFamily instanceUuid patchLevel"),
};

const Node kConfigSummary[] = {
    leaf("name", "string", [](Out& o, const Subject& s) { return put(o, s.entity.name); }),
    leaf("port", "int", [](Out& o, const Subject&) { return put(o, 443); }),
    structure("product", "AboutInfo", kHostProduct),
    yes("vmotionEnabled"),
    no("faultToleranceEnabled"),
    absent("agentVmDatastore agentVmNetwork featureVersion sslThumbprint"),
};

const Node kHostSummary[] = {
    leaf("host", "ManagedObjectReference", [](Out& o, const Subject& s) { return put_moref(o, s.entity); }),
    structure("hardware", "HostHardwareSummary", kHardwareSummary),
    structure("runtime", "HostRuntimeInfo", kRuntime),
    structure("config", "HostConfigSummary", kConfigSummary),
    structure("quickStats", "HostListSummaryQuickStats", kQuickStats),
    leaf("overallStatus", "ManagedEntityStatus", [](Out& o, const Subject&) { return put(o, "green"); }),
    no("rebootRequired"),
    leaf("managementServerIp", "string", [](Out& o, const Subject&) { return put(o, "10.20.0.10"); }),
    absent("currentEVCGraphicsModeKey currentEVCModeKey customValue gateway maxEVCModeKey tpmAttestation "
           "trustAuthorityAttestationInfos"),
};

const Node kCpuInfo[] = {
    leaf("numCpuPackages", "short", [](Out& o, const Subject& s) { return put(o, s.as<Host>().packages); }),
    leaf("numCpuCores", "short", [](Out& o, const Subject& s) { return put(o, s.as<Host>().cores); }),
    leaf("numCpuThreads", "short", [](Out& o, const Subject& s) { return put(o, s.as<Host>().threads); }),
    leaf("hz", "long",
         [](Out& o, const Subject& s) { return put(o, s.as<Host>().cpu_mhz * std::int64_t{1'000'000}); }),
};

const Node kSystemInfo[] = {
    leaf("vendor", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().vendor); }),
    leaf("model", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().model); }),
    leaf("uuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Host>().uuid); }),
    absent("bootCommandLine qualifiedName serialNumber vvolHostId vvolHostNQN"),
};

bool packages(Out& out, const Subject& s) {
  const Host& host = s.as<Host>();
  const int threads = host.threads / host.packages;
  Json list = Json::array();
  for (int i = 0; i < host.packages; ++i) {
    Json ids = Json::array();
    for (int t = 0; t < threads; ++t) ids.push_back(i * threads + t);
    list.push_back({{"_typeName", "HostCpuPackage"},
                    {"index", i},
                    {"vendor", host.cpu_model.rfind("AMD", 0) == 0 ? "amd" : "intel"},
                    {"hz", host.cpu_mhz * std::int64_t{1'000'000}},
                    {"busHz", 100'000'000},
                    {"description", host.cpu_model},
                    {"threadId", std::move(ids)}});
  }
  return put_json(out, list);
}

const Node kHardware[] = {
    structure("systemInfo", "HostSystemInfo", kSystemInfo),
    structure("cpuInfo", "HostCpuInfo", kCpuInfo),
    leaf("cpuPkg", "ArrayOfHostCpuPackage", packages),
    leaf("memorySize", "long", [](Out& o, const Subject& s) { return put(o, s.as<Host>().memory_bytes); }),
    no("smcPresent"),
    absent("biosInfo cpuFeature cpuPowerManagementInfo dvxClasses memoryTierInfo memoryTieringType numaInfo "
           "pciDevice "
           "persistentMemoryInfo reliableMemoryInfo sevInfo sgxInfo"),
};

// The host's managers exist in vim25, but nothing here can be done through them.
const Node kConfigManager[] = {
    absent(
        "accountManager advancedOption assignableHardwareManager authenticationManager autoStartManager "
        "bootDeviceSystem cacheConfigurationManager certificateManager cpuScheduler cryptoManager "
        "datastoreSystem "
        "dateTimeSystem diagnosticSystem esxAgentHostManager firewallSystem firmwareSystem graphicsManager "
        "healthStatusSystem hostAccessManager imageConfigManager iscsiManager kernelModuleSystem "
        "licenseManager "
        "memoryManager messageBusProxy networkSystem nvdimmSystem patchManager pciPassthruSystem powerSystem "
        "serviceSystem snmpSystem storageSystem userDirectory vFlashManager virtualNicManager vmotionSystem "
        "vsanInternalSystem vsanSystem"),
};

bool licensable(Out& out, const Subject& s) {
  const Host& host = s.as<Host>();
  return put_json(out, Json::array({{{"_typeName", "KeyAnyValue"},
                                     {"key", "numCpuPackages"},
                                     {"value", {{"_typeName", "long"}, {"_value", host.packages}}}}}));
}
const Node kLicensable[] = {leaf("resource", "ArrayOfKeyAnyValue", licensable)};

const Node kHostProperties[] = {
    structure("summary", "HostListSummary", kHostSummary),
    structure("runtime", "HostRuntimeInfo", kRuntime),
    structure("hardware", "HostHardwareInfo", kHardware),
    structure("configManager", "HostConfigManager", kConfigManager),
    structure("licensableResource", "HostLicensableResourceInfo", kLicensable),
    leaf("vm", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Host>().vms); }),
    seen("datastore", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Host>().cluster->datastores); }),
    seen("network", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Host>().cluster->networks); }),
    seen("datastoreBrowser", "ManagedObjectReference",
         [](Out& o, const Subject& s) {
           return put_moref(o, "HostDatastoreBrowser", "datastoreBrowser-" + s.entity.id);
         }),
    absent("answerFileValidationResult answerFileValidationState capability complianceCheckResult "
           "complianceCheckState "
           "config precheckRemediationResult remediationResult remediationState systemResources"),
};

}  // namespace

std::span<const Node> host_nodes() {
  return kHostProperties;
}

}  // namespace vmcp::simulator
