#include <algorithm>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostVms = 4000;

// One list parameter: no values mean no restriction, several mean "any of".
struct AnyOf {
  std::vector<std::string> wanted;
  bool accepts(std::string_view value) const {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
  }
};

struct VmFilter {
  explicit VmFilter(const Call& call)
      : vms{call.values("vms")},
        names{call.values("names")},
        folders{call.values("folders")},
        datacenters{call.values("datacenters")},
        hosts{call.values("hosts")},
        clusters{call.values("clusters")},
        pools{call.values("resource_pools")},
        powers{call.values("power_states")} {}

  bool accepts(const Vm& vm) const {
    if (!vms.accepts(vm.id) || !names.accepts(vm.name) || !powers.accepts(api_name(vm.power))) return false;
    if (!folders.accepts(vm.parent->id) || !hosts.accepts(vm.host->id)) return false;
    if (!clusters.accepts(vm.host->cluster->id)) return false;
    if (!pools.accepts(vm.pool == nullptr ? std::string() : vm.pool->id)) return false;
    return datacenters.wanted.empty() || datacenters.accepts(datacenter_of(vm)->id);
  }

  AnyOf vms, names, folders, datacenters, hosts, clusters, pools, powers;
};

Json nic_json(const Vm& vm, const Nic& nic, std::size_t index) {
  Json backing = {{"network", nic.network->id}};
  if (nic.network->distributed()) {
    backing["type"] = "DISTRIBUTED_PORTGROUP";
    backing["distributed_switch_uuid"] = nic.network->dvs->uuid;
    backing["distributed_port"] = std::to_string(vm.seed % 500);
    backing["connection_cookie"] = static_cast<std::int64_t>(vm.seed % 1'000'000);
  } else {
    backing["type"] = "STANDARD_PORTGROUP";
    backing["network_name"] = nic.network->name;
  }
  return {{"label", "Network adapter " + std::to_string(index + 1)},
          {"type", "VMXNET3"},
          {"upt_compatibility_enabled", true},
          {"mac_type", "ASSIGNED"},
          {"mac_address", nic.mac},
          {"pci_slot_number", 192 + 32 * static_cast<int>(index)},
          {"wake_on_lan_enabled", true},
          {"backing", std::move(backing)},
          {"state", vm.power == Power::on ? "CONNECTED" : "NOT_CONNECTED"},
          {"start_connected", true},
          {"allow_guest_control", true}};
}

Json disks_json(const Vm& vm) {
  Json out = Json::object();
  for (std::size_t i = 0; i < vm.disks.size(); ++i) {
    const Disk& disk = vm.disks[i];
    out[std::to_string(disk.key)] = {{"label", "Hard disk " + std::to_string(i + 1)},
                                     {"type", "SCSI"},
                                     {"scsi", {{"bus", 0}, {"unit", i}}},
                                     {"backing", {{"type", "VMDK_FILE"}, {"vmdk_file", disk.file}}},
                                     {"capacity", disk.capacity}};
  }
  return out;
}

Json vm_json(const Vm& vm) {
  Json nics = Json::object();
  for (std::size_t i = 0; i < vm.nics.size(); ++i)
    nics[std::to_string(vm.nics[i].key)] = nic_json(vm, vm.nics[i], i);
  return {
      {"guest_OS", vm.guest->api_name},
      {"name", vm.name},
      {"identity", {{"name", vm.name}, {"bios_uuid", vm.bios_uuid}, {"instance_uuid", vm.instance_uuid}}},
      {"power_state", api_name(vm.power)},
      {"instant_clone_frozen", false},
      {"hardware", hardware_json(vm)},
      {"boot",
       {{"type", "EFI"},
        {"efi_legacy_boot", false},
        {"network_protocol", "IPV4"},
        {"delay", 0},
        {"retry", false},
        {"retry_delay", 10'000},
        {"enter_setup_mode", false}}},
      {"boot_devices", Json::array()},
      {"cpu", cpu_json(vm)},
      {"memory", memory_json(vm)},
      {"disks", disks_json(vm)},
      {"nics", std::move(nics)},
      {"cdroms",
       {{"16000",
         {{"label", "CD/DVD drive 1"},
          {"type", "SATA"},
          {"sata", {{"bus", 0}, {"unit", 0}}},
          {"backing", {{"type", "CLIENT_DEVICE"}, {"auto_detect", true}, {"device_access_type", "PASSTHRU"}}},
          {"state", "NOT_CONNECTED"},
          {"start_connected", false},
          {"allow_guest_control", true}}}}},
      {"floppies", Json::object()},
      {"parallel_ports", Json::object()},
      {"serial_ports", Json::object()},
      {"sata_adapters", {{"15000", {{"label", "SATA controller 0"}, {"type", "AHCI"}, {"bus", 0}}}}},
      {"scsi_adapters",
       {{"1000",
         {{"label", "SCSI controller 0"},
          {"type", "PVSCSI"},
          {"scsi", {{"bus", 0}, {"unit", 7}}},
          {"sharing", "NONE"}}}}},
      {"nvme_adapters", Json::object()}};
}

}  // namespace

FoundVm resolve_vm(Call& call, std::string_view privilege, bool templates_too) {
  const std::string& id = call.ids[0];
  Vm* vm = call.world.model.find_as<Vm>(id);
  // What the account may not even view does not exist to it.
  if (vm == nullptr || (vm->is_template && !templates_too) || !allowed(call.user(), *vm, "System.View")) {
    return {nullptr, not_found("Virtual machine", "vm", id)};
  }
  for (const std::string_view needed : {std::string_view("System.Read"), privilege}) {
    if (!allowed(call.user(), *vm, needed)) return {nullptr, unauthorized(*vm, needed)};
  }
  if (!vm->accessible) {
    return {nullptr, Answer::error("RESOURCE_INACCESSIBLE",
                                   {"com.vmware.api.vcenter.vm.inaccessible",
                                    "The configuration of virtual machine '" + id + "' cannot be accessed.",
                                    {id}})};
  }
  return {vm, {}};
}

Answer wait_for(Started started) {
  if (started.refused) return answer_for(*started.refused);
  Answer answer;
  answer.task_id = started.task->id;
  return answer;
}

Answer vm_list(Call& call) {
  const VmFilter filter(call);
  for (const std::string& state : filter.powers.wanted) {
    if (state != "POWERED_ON" && state != "POWERED_OFF" && state != "SUSPENDED") {
      return invalid_argument_answer("'" + state + "' is not a power state.", {state});
    }
  }
  if (!holds(call.user(), "System.Read")) return unauthorized(call.world.model.root(), "System.Read");
  Json out = Json::array();
  for (const Vm* vm : call.world.model.vms()) {
    if (vm->is_template || !filter.accepts(*vm) || !allowed(call.user(), *vm, "System.Read")) continue;
    if (out.size() == kMostVms) {
      return Answer::error("UNABLE_TO_ALLOCATE_RESOURCE",
                           {"com.vmware.api.vcenter.vm.too_many_matches",
                            "Too many virtual machines match. Add more filter criteria to reduce the number.",
                            {}});
    }
    Json item = {{"vm", vm->id}, {"name", vm->name}, {"power_state", api_name(vm->power)}};
    if (vm->accessible) {
      item["cpu_count"] = vm->cpus;
      item["memory_size_MiB"] = vm->memory_mb;
    }
    out.push_back(std::move(item));
  }
  return Answer::of(std::move(out));
}

Answer vm_get(Call& call) {
  const FoundVm found = resolve_vm(call, "System.Read");
  if (found.vm == nullptr) return found.refusal;
  Answer answer = Answer::of(vm_json(*found.vm));
  answer.maps = {"disks",        "nics",          "cdroms",        "floppies",     "parallel_ports",
                 "serial_ports", "sata_adapters", "scsi_adapters", "nvme_adapters"};
  return answer;
}

Answer vm_delete(Call& call) {
  const FoundVm found = resolve_vm(call, "VirtualMachine.Inventory.Delete", true);
  if (found.vm == nullptr) return found.refusal;
  if (const auto failure = refuse_destroy(*found.vm)) {
    Answer answer = answer_for(*failure);
    answer.messages.insert(answer.messages.begin(),
                           {"com.vmware.api.vcenter.vm.delete.not_powered_off",
                            "Virtual machine '" + found.vm->id + "' is powered on and cannot be deleted.",
                            {found.vm->id}});
    return answer;
  }
  return wait_for(start_destroy(call.world, call.user(), *found.vm));
}

}  // namespace vmcp::simulator
