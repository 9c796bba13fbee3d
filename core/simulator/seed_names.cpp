#include "simulator/seed_names.h"

#include <array>
#include <cstdio>

namespace vmcp::simulator {
namespace {

constexpr std::array kApplications = {
    "ledger",  "billing", "payroll",  "orders",    "catalog",  "search",  "identity", "mail",   "wiki",
    "build",   "git",     "metrics",  "logs",      "proxy",    "vpn",     "dns",      "backup", "media",
    "crm",     "erp",     "hr",       "warehouse", "shipping", "pricing", "fraud",    "risk",   "reports",
    "etl",     "broker",  "chat",     "calendar",  "tickets",  "monitor", "scanner",  "print",  "voice",
    "license", "archive", "portal",   "intranet",  "partner",  "mobile",  "geo",      "sensor", "factory",
    "quality", "claims",  "treasury", "audit",     "registry"};
constexpr std::array kRoles = {"db", "web", "app", "api", "cache", "worker", "queue", "lb", "batch", "test"};
constexpr std::array kSites = {"north", "south", "east", "west"};
constexpr std::array kClusters = {"prod", "stage", "edge", "lab", "dmz", "vdi", "analytics", "backup"};
constexpr std::array kSnapshotNames = {"base",   "before-upgrade",       "pre-patch", "after-install",
                                       "golden", "before-schema-change", "weekly",    "pre-migration"};
constexpr std::array kSnapshotNotes = {"", "change 881", "taken by the nightly job", "keep until the release",
                                       "ask the owner before removing"};
constexpr std::array<HostModel, 4> kHosts = {{
    {"Dell Inc.", "PowerEdge R750", "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", 1995, 2, 64, 768},
    {"HPE", "ProLiant DL380 Gen10 Plus", "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", 2893, 2, 32, 512},
    {"Lenovo", "ThinkSystem SR650 V2", "Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz", 2394, 2, 32, 512},
    {"Dell Inc.", "PowerEdge R7525", "AMD EPYC 7543 32-Core Processor", 2794, 2, 64, 1024},
}};
constexpr std::array<GuestOs, 9> kGuests = {{
    {"RHEL_9_64", "rhel9_64Guest", "Red Hat Enterprise Linux 9 (64-bit)", "LINUX", "linuxGuest"},
    {"RHEL_8_64", "rhel8_64Guest", "Red Hat Enterprise Linux 8 (64-bit)", "LINUX", "linuxGuest"},
    {"UBUNTU_64", "ubuntu64Guest", "Ubuntu Linux (64-bit)", "LINUX", "linuxGuest"},
    {"DEBIAN_11_64", "debian11_64Guest", "Debian GNU/Linux 11 (64-bit)", "LINUX", "linuxGuest"},
    {"SLES_15_64", "sles15_64Guest", "SUSE Linux Enterprise 15 (64-bit)", "LINUX", "linuxGuest"},
    {"WINDOWS_SERVER_2019", "windows2019srv_64Guest", "Microsoft Windows Server 2019 (64-bit)", "WINDOWS",
     "windowsGuest"},
    {"WINDOWS_SERVER_2021", "windows2019srvNext_64Guest", "Microsoft Windows Server 2022 (64-bit)", "WINDOWS",
     "windowsGuest"},
    {"VMWARE_PHOTON_64", "vmwarePhoton64Guest", "VMware Photon OS (64-bit)", "LINUX", "linuxGuest"},
    {"FREEBSD_13_64", "freebsd13_64Guest", "FreeBSD 13 (64-bit)", "OTHER", "otherGuestFamily"},
}};

}  // namespace

const char* seed_application(std::uint64_t i) {
  return kApplications[i % kApplications.size()];
}
const char* seed_role(std::uint64_t i) {
  return kRoles[i % kRoles.size()];
}
const char* seed_site(std::uint64_t i) {
  return kSites[i % kSites.size()];
}
const char* seed_cluster(std::uint64_t i) {
  return kClusters[i % kClusters.size()];
}
const char* seed_snapshot_name(std::uint64_t i) {
  return kSnapshotNames[i % kSnapshotNames.size()];
}
const char* seed_snapshot_note(std::uint64_t i) {
  return kSnapshotNotes[i % kSnapshotNotes.size()];
}
const HostModel& seed_host_model(std::uint64_t i) {
  return kHosts[i % kHosts.size()];
}
const GuestOs& seed_guest(std::uint64_t i) {
  return kGuests[i % kGuests.size()];
}

std::string seed_uuid(std::uint64_t a, std::uint64_t b) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(a >> 32),
                static_cast<unsigned>(a >> 16 & 0xffff), static_cast<unsigned>(a & 0xffff),
                static_cast<unsigned>(b >> 48), static_cast<unsigned long long>(b & 0xffffffffffffULL));
  return text.data();
}

std::string seed_mac(std::uint64_t x) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "00:50:56:%02x:%02x:%02x",
                static_cast<unsigned>(x >> 16 & 0x3f) | 0x80, static_cast<unsigned>(x >> 8 & 0xff),
                static_cast<unsigned>(x & 0xff));
  return text.data();
}

}  // namespace vmcp::simulator
