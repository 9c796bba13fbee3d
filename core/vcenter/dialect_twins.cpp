#include "vcenter/dialect_twins.h"

namespace vmcp::vcenter {
namespace {

using enum ActionPlace;

constexpr Twin kTwins[] = {
    // inventory
    {"GET", "/vcenter/cluster"},
    {"GET", "/vcenter/cluster/{}"},
    {"GET POST", "/vcenter/datacenter"},
    {"GET DELETE", "/vcenter/datacenter/{}"},
    {"GET", "/vcenter/datastore"},
    {"GET", "/vcenter/datastore/{}"},
    {"GET", "/vcenter/datastore/{}/default-policy"},
    {"GET", "/vcenter/folder"},
    {"GET POST", "/vcenter/host"},
    {"DELETE", "/vcenter/host/{}"},
    {"POST", "/vcenter/host/{}", "connect", path},
    {"POST", "/vcenter/host/{}", "disconnect", path},
    {"GET", "/vcenter/network"},
    {"GET POST", "/vcenter/resource-pool"},
    {"GET PATCH DELETE", "/vcenter/resource-pool/{}"},
    // virtual machines
    {"GET POST", "/vcenter/vm"},
    {"POST", "/vcenter/vm", "clone", query, "spec", "", "disks_to_update"},
    {"POST", "/vcenter/vm", "instant-clone", query, "spec", "",
     "nics_to_update parallel_ports_to_update serial_ports_to_update"},
    {"POST", "/vcenter/vm", "register"},
    {"GET DELETE", "/vcenter/vm/{}", "", query, "spec",
     "cdroms disks floppies nics nvme_adapters parallel_ports sata_adapters scsi_adapters serial_ports"},
    {"POST", "/vcenter/vm/{}", "relocate", query, "spec", "", "disks"},
    {"POST", "/vcenter/vm/{}", "unregister"},
    {"POST", "/vcenter/vm/{}/console/tickets"},
    {"GET", "/vcenter/vm/{}/library-item"},
    {"GET", "/vcenter/vm/{}/power"},
    {"POST", "/vcenter/vm/{}/power", "reset", path},
    {"POST", "/vcenter/vm/{}/power", "start", path},
    {"POST", "/vcenter/vm/{}/power", "stop", path},
    {"POST", "/vcenter/vm/{}/power", "suspend", path},
    {"GET", "/vcenter/vm/{}/storage/policy", "", query, "spec", "disks"},
    {"PATCH", "/vcenter/vm/{}/storage/policy", "", query, "spec", "", "disks"},
    {"GET", "/vcenter/vm/{}/storage/policy/compliance", "", query, "spec", "disks"},
    {"POST", "/vcenter/vm/{}/storage/policy/compliance", "check", query, "check_spec", "disks"},
    // guest and Tools
    {"GET PUT", "/vcenter/vm/{}/guest/customization"},
    {"GET", "/vcenter/vm/{}/guest/identity"},
    {"GET", "/vcenter/vm/{}/guest/local-filesystem", "", query, "spec", "."},
    {"GET", "/vcenter/vm/{}/guest/networking"},
    {"GET", "/vcenter/vm/{}/guest/networking/interfaces"},
    {"GET", "/vcenter/vm/{}/guest/networking/routes"},
    {"GET", "/vcenter/vm/{}/guest/power"},
    {"POST", "/vcenter/vm/{}/guest/power", "reboot"},
    {"POST", "/vcenter/vm/{}/guest/power", "shutdown"},
    {"POST", "/vcenter/vm/{}/guest/power", "standby"},
    {"GET PATCH", "/vcenter/vm/{}/tools"},
    {"POST", "/vcenter/vm/{}/tools", "upgrade", query, ""},
    {"GET", "/vcenter/vm/{}/tools/installer"},
    {"POST", "/vcenter/vm/{}/tools/installer", "connect"},
    {"POST", "/vcenter/vm/{}/tools/installer", "disconnect"},
    // hardware
    {"GET PATCH", "/vcenter/vm/{}/hardware"},
    {"POST", "/vcenter/vm/{}/hardware", "upgrade", path_word, ""},
    {"GET PATCH", "/vcenter/vm/{}/hardware/boot"},
    {"GET PUT", "/vcenter/vm/{}/hardware/boot/device", "", query, ""},
    {"GET PATCH", "/vcenter/vm/{}/hardware/cpu"},
    {"GET PATCH", "/vcenter/vm/{}/hardware/memory"},
    {"GET POST", "/vcenter/vm/{}/hardware/adapter/nvme"},
    {"GET DELETE", "/vcenter/vm/{}/hardware/adapter/nvme/{}"},
    {"GET POST", "/vcenter/vm/{}/hardware/adapter/sata"},
    {"GET DELETE", "/vcenter/vm/{}/hardware/adapter/sata/{}"},
    {"GET POST", "/vcenter/vm/{}/hardware/adapter/scsi"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/adapter/scsi/{}"},
    {"GET POST", "/vcenter/vm/{}/hardware/disk"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/disk/{}"},
    {"GET POST", "/vcenter/vm/{}/hardware/cdrom"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/cdrom/{}"},
    {"POST", "/vcenter/vm/{}/hardware/cdrom/{}", "connect", path},
    {"POST", "/vcenter/vm/{}/hardware/cdrom/{}", "disconnect", path},
    {"GET POST", "/vcenter/vm/{}/hardware/ethernet"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/ethernet/{}"},
    {"POST", "/vcenter/vm/{}/hardware/ethernet/{}", "connect", path},
    {"POST", "/vcenter/vm/{}/hardware/ethernet/{}", "disconnect", path},
    {"GET POST", "/vcenter/vm/{}/hardware/floppy"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/floppy/{}"},
    {"POST", "/vcenter/vm/{}/hardware/floppy/{}", "connect", path},
    {"POST", "/vcenter/vm/{}/hardware/floppy/{}", "disconnect", path},
    {"GET POST", "/vcenter/vm/{}/hardware/parallel"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/parallel/{}"},
    {"POST", "/vcenter/vm/{}/hardware/parallel/{}", "connect", path},
    {"POST", "/vcenter/vm/{}/hardware/parallel/{}", "disconnect", path},
    {"GET POST", "/vcenter/vm/{}/hardware/serial"},
    {"GET PATCH DELETE", "/vcenter/vm/{}/hardware/serial/{}"},
    {"POST", "/vcenter/vm/{}/hardware/serial/{}", "connect", path},
    {"POST", "/vcenter/vm/{}/hardware/serial/{}", "disconnect", path},
    // the appliance and its tasks
    {"GET", "/appliance/system/version"},
    {"GET", "/appliance/system/uptime"},
    {"GET", "/appliance/health/{}"},
    {"GET", "/appliance/health/{}/messages"},
    {"GET", "/appliance/health/system/lastcheck"},
    {"GET", "/cis/tasks/{}"},
    {"POST", "/cis/tasks/{}", "cancel"},
};

}  // namespace

std::span<const Twin> dialect_twins() {
  return kTwins;
}

}  // namespace vmcp::vcenter
