// Network, DistributedVirtualPortgroup and the switch behind the latter.
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

using Out = std::string;

constexpr int kPortsPerGroup = 128;

bool name(Out& out, const Subject& s) {
  return put(out, s.entity.name);
}
bool hosts(Out& out, const Subject& s) {
  return put_morefs(out, s.as<Network>().hosts);
}
bool vms(Out& out, const Subject& s) {
  return put_morefs(out, s.as<Network>().vms);
}

const Node kNetworkSummary[] = {
    leaf("network", "ManagedObjectReference",
         [](Out& o, const Subject& s) { return put_moref(o, s.entity); }),
    leaf("name", "string", name),
    yes("accessible"),
    leaf("ipPoolName", "string", [](Out& o, const Subject&) { return put(o, ""); }),
    absent("ipPoolId"),
};

const Node kNetwork[] = {
    structure("summary", "NetworkSummary", kNetworkSummary),
    leaf("host", "ArrayOfManagedObjectReference", hosts),
    leaf("vm", "ArrayOfManagedObjectReference", vms),
};

const Node kPolicy[] = {
    yes("blockOverrideAllowed"),
    no("shapingOverrideAllowed"),
    no("vendorConfigOverrideAllowed"),
    yes("livePortMovingAllowed"),
    yes("portConfigResetAtDisconnect"),
    absent("networkResourcePoolOverrideAllowed trafficFilterOverrideAllowed"),
};

const Node kGroupConfig[] = {
    leaf("key", "string", [](Out& o, const Subject& s) { return put(o, s.entity.id); }),
    leaf("name", "string", name),
    leaf("numPorts", "int", [](Out& o, const Subject&) { return put(o, kPortsPerGroup); }),
    leaf("distributedVirtualSwitch", "ManagedObjectReference",
         [](Out& o, const Subject& s) { return put_moref(o, *s.as<Network>().dvs); }),
    leaf("type", "string", [](Out& o, const Subject&) { return put(o, "earlyBinding"); }),
    structure("policy", "DVPortgroupPolicy", kPolicy),
    yes("autoExpand"),
    no("uplink"),
    absent("backingType configVersion defaultPortConfig description logicalSwitchUuid portNameFormat scope "
           "segmentId "
           "transportZoneName transportZoneUuid vendorSpecificConfig vmVnicNetworkResourcePoolKey"),
};

const Node kPortgroup[] = {
    structure("summary", "NetworkSummary", kNetworkSummary),
    leaf("host", "ArrayOfManagedObjectReference", hosts),
    leaf("vm", "ArrayOfManagedObjectReference", vms),
    structure("config", "DVPortgroupConfigInfo", kGroupConfig),
    leaf("key", "string", [](Out& o, const Subject& s) { return put(o, s.entity.id); }),
    absent("portKeys"),
};

bool ports(Out& out, const Subject& s) {
  return put(out, static_cast<std::int64_t>(s.as<Dvs>().portgroups.size()) * kPortsPerGroup);
}

bool switch_hosts(Out& out, const Subject& s) {
  const auto& groups = s.as<Dvs>().portgroups;
  return put(out, groups.empty() ? std::int64_t{0} : static_cast<std::int64_t>(groups.front()->hosts.size()));
}

bool group_names(Out& out, const Subject& s) {
  Json list = Json::array();
  for (const Network* group : s.as<Dvs>().portgroups) list.push_back(group->name);
  return put_json(out, list);
}

const Node kSwitchSummary[] = {
    leaf("name", "string", name),
    leaf("uuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Dvs>().uuid); }),
    leaf("numPorts", "int", ports),
    leaf("numHosts", "int", switch_hosts),
    leaf("portgroupName", "ArrayOfString", group_names),
    absent("contact description host hostMember productInfo vm"),
};

const Node kContact[] = {absent("contact name")};
const Node kPortSetting[] = {
    absent("blocked filterPolicy inShapingPolicy networkResourcePoolKey outShapingPolicy "
           "vendorSpecificConfig vmDirectPathGen2Allowed")};
const Node kProduct[] = {
    leaf("name", "string", [](Out& o, const Subject&) { return put(o, "DVS"); }),
    leaf("vendor", "string", [](Out& o, const Subject&) { return put(o, "VMware, Inc."); }),
    leaf("version", "string", [](Out& o, const Subject&) { return put(o, "8.0.0"); }),
    absent("build bundleId bundleUrl forwardingClass"),
};

bool uplink_names(Out& out, const Subject&) {
  out += R"(["Uplink 1","Uplink 2"])";
  return true;
}
const Node kUplinks[] = {leaf("uplinkPortName", "ArrayOfString", uplink_names)};

const Node kSwitchConfig[] = {
    leaf("uuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Dvs>().uuid); }),
    leaf("name", "string", name),
    leaf("numStandalonePorts", "int", [](Out& o, const Subject&) { return put(o, 0); }),
    leaf("numPorts", "int", ports),
    leaf("maxPorts", "int", [](Out& o, const Subject&) { return put(o, 60'000); }),
    structure("uplinkPortPolicy", "DVSNameArrayUplinkPortPolicy", kUplinks),
    structure("defaultPortConfig", "DVPortSetting", kPortSetting),
    structure("productInfo", "DistributedVirtualSwitchProductSpec", kProduct),
    leaf("configVersion", "string", [](Out& o, const Subject&) { return put(o, "1"); }),
    structure("contact", "DVSContactInfo", kContact),
    leaf("createTime", "dateTime", [](Out& o, const Subject&) { return put_time(o, 1'700'000'000'000); }),
    yes("networkResourceManagementEnabled"),
    absent("defaultProxySwitchMaxNumPorts description extensionKey healthCheckConfig host "
           "infrastructureTrafficResourceConfig netResourcePoolTrafficResourceConfig "
           "networkResourceControlVersion "
           "pnicCapacityRatioForReservation policy switchIpAddress targetInfo uplinkPortgroup "
           "vendorSpecificConfig "
           "vmVnicNetworkResourcePool"),
};

const Node kSwitchCapability[] = {
    absent("compatibleHostComponentProductInfo dvPortGroupOperationSupported "
           "dvPortOperationSupported dvsOperationSupported featuresSupported")};

const Node kSwitch[] = {
    leaf("uuid", "string", [](Out& o, const Subject& s) { return put(o, s.as<Dvs>().uuid); }),
    leaf("portgroup", "ArrayOfManagedObjectReference",
         [](Out& o, const Subject& s) { return put_morefs(o, s.as<Dvs>().portgroups); }),
    structure("summary", "DVSSummary", kSwitchSummary),
    structure("capability", "DVSCapability", kSwitchCapability),
    structure("config", "DVSConfigInfo", kSwitchConfig),
    absent("networkResourcePool runtime"),
};

}  // namespace

std::span<const Node> network_nodes() {
  return kNetwork;
}
std::span<const Node> portgroup_nodes() {
  return kPortgroup;
}
std::span<const Node> dvs_nodes() {
  return kSwitch;
}

}  // namespace vmcp::simulator
