#include "simulator/inventory_seed.h"

#include <algorithm>
#include <map>

#include "simulator/seed_names.h"

namespace vmcp::simulator {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kTiB = std::int64_t{1} << 40;
constexpr Millis kDay = 86'400'000;
constexpr std::size_t kVmsPerHost = 25;
constexpr std::size_t kHostsPerCluster = 16;
constexpr int kFirstVmNumber = 1001;

std::string two_digits(std::size_t n) {
  return (n < 10 ? "0" : "") + std::to_string(n);
}

class Seeder {
 public:
  Seeder(Model& model, const SeedPlan& plan) : model_(model), plan_(plan), state_(mix(plan.seed + 1)) {}

  void run() {
    Folder& root = folder("group-d", "Datacenters", FolderType::datacenter, nullptr);
    model_.set_root(root);
    const std::size_t host_count = std::max<std::size_t>(8, (plan_.vms + kVmsPerHost - 1) / kVmsPerHost);
    const std::size_t cluster_count =
        std::max<std::size_t>(3, (host_count + kHostsPerCluster - 1) / kHostsPerCluster);
    const std::size_t site_count = host_count > 400 ? 4 : host_count > 100 ? 3 : 2;
    for (std::size_t i = 0; i < site_count; ++i) datacenter(i);
    for (std::size_t i = 0; i < cluster_count; ++i) cluster(i);
    for (std::size_t i = 0; i < host_count; ++i) host(i);
    for (Cluster* c : model_.clusters()) storage_of(*c);
    for (Datacenter* d : model_.datacenters()) shared_storage_of(*d);
    while (number_ < kFirstVmNumber) number_ = model_.next_number();
    for (std::size_t i = 0; i < plan_.vms; ++i) vm(i);
    special_names();
    fill_one_datastore();
  }

 private:
  std::uint64_t next() { return mix(state_++); }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string id(const char* prefix) { return prefix + std::to_string(number_ = model_.next_number()); }

  Folder& folder(const char* prefix, const std::string& name, FolderType type, Entity* parent) {
    Folder& made = model_.add<Folder>(id(prefix), name);
    made.type = type;
    made.parent = parent;
    if (parent != nullptr && parent->kind == Kind::folder)
      static_cast<Folder*>(parent)->children.push_back(&made);
    return made;
  }

  void datacenter(std::size_t index) {
    Datacenter& made = model_.add<Datacenter>(id("datacenter-"), seed_site(index));
    model_.attach(made, model_.root());
    made.vm_folder = &folder("group-v", "vm", FolderType::vm, &made);
    made.host_folder = &folder("group-h", "host", FolderType::host, &made);
    made.datastore_folder = &folder("group-s", "datastore", FolderType::datastore, &made);
    made.network_folder = &folder("group-n", "network", FolderType::network, &made);
    std::vector<Folder*>& leaves = vm_folders_[&made];
    Folder& production = folder("group-v", "Production", FolderType::vm, made.vm_folder);
    for (const char* name : {"Finance", "Web", "Data"}) {
      leaves.push_back(&folder("group-v", name, FolderType::vm, &production));
    }
    Folder& staging = folder("group-v", "Staging", FolderType::vm, made.vm_folder);
    leaves.push_back(&staging);
    Folder& development = folder("group-v", "Development", FolderType::vm, made.vm_folder);
    Folder& team = folder("group-v", "Team A", FolderType::vm, &development);
    leaves.push_back(&folder("group-v", "Sandbox", FolderType::vm, &team));
    template_folders_[&made] = &folder("group-v", "Templates", FolderType::vm, made.vm_folder);
    networks_of(made);
  }

  void networks_of(Datacenter& site) {
    for (const char* name : {"VM Network", "Management"}) {
      Network& made = model_.add<Network>(id("network-"), name, Kind::network);
      model_.attach(made, *site.network_folder);
      site.networks.push_back(&made);
    }
    Dvs& dvs = model_.add<Dvs>(id("dvs-"), "dvs-" + site.name);
    dvs.uuid = seed_uuid(next(), next());
    model_.attach(dvs, *site.network_folder);
    for (const char* name : {"prod-vlan-110", "stage-vlan-210", "dmz-vlan-310"}) {
      Network& made = model_.add<Network>(id("dvportgroup-"), site.name + "-" + name, Kind::portgroup);
      made.dvs = &dvs;
      dvs.portgroups.push_back(&made);
      model_.attach(made, *site.network_folder);
      site.networks.push_back(&made);
    }
  }

  void cluster(std::size_t index) {
    Datacenter& site = *model_.datacenters()[index % model_.datacenters().size()];
    const std::string suffix = index < 8 ? "" : "-" + two_digits(index / 8 + 1);
    Cluster& made = model_.add<Cluster>(id("domain-c"), seed_cluster(index) + suffix);
    made.datacenter = &site;
    made.ha = index % 3 != 2;
    made.drs = index % 4 != 3;
    made.networks = site.networks;
    // The third cluster sits in a folder of its own, so that the host tree is nested as well.
    Folder* home = site.host_folder;
    if (index == 2) home = &folder("group-h", "Remote sites", FolderType::host, site.host_folder);
    model_.attach(made, *home);
    made.root_pool = &pool("Resources", made, nullptr);
    Pool& production = pool("Production", made, made.root_pool);
    pool("Critical", made, &production);
    pool("Test", made, made.root_pool);
  }

  Pool& pool(const char* name, Cluster& owner, Pool* parent) {
    Pool& made = model_.add<Pool>(id("resgroup-"), name);
    made.cluster = &owner;
    made.parent = parent == nullptr ? static_cast<Entity*>(&owner) : parent;
    made.memory.shares = 163'840;
    if (parent != nullptr) {
      parent->pools.push_back(&made);
      pools_[&owner].push_back(&made);
    }
    return made;
  }

  void host(std::size_t index) {
    Cluster& owner = *model_.clusters()[index % model_.clusters().size()];
    const HostModel& kind = seed_host_model(mix(plan_.seed ^ index % model_.clusters().size()));
    Host& made = model_.add<Host>(id("host-"),
                                  "esx" + two_digits(index + 1) + "." + owner.datacenter->name + ".example");
    made.cluster = &owner;
    made.parent = &owner;
    made.vendor = kind.vendor;
    made.model = kind.model;
    made.cpu_model = kind.cpu;
    made.cpu_mhz = kind.mhz;
    made.packages = kind.packages;
    made.cores = kind.cores;
    made.threads = kind.cores * 2;
    made.memory_bytes = kind.memory_gb * kGiB;
    made.uuid = seed_uuid(next(), next());
    made.boot_time = plan_.now - static_cast<Millis>(20 + below(200)) * kDay;
    // One host stands in maintenance mode, empty, as there always is one.
    made.maintenance = owner.hosts.size() == 2 && &owner == model_.clusters()[0];
    owner.hosts.push_back(&made);
    for (Entity* network : owner.datacenter->networks) static_cast<Network*>(network)->hosts.push_back(&made);
  }

  Datastore& datastore(const std::string& name, const char* type, std::int64_t capacity, Datacenter& site) {
    Datastore& made = model_.add<Datastore>(id("datastore-"), name);
    made.type = type;
    made.capacity = capacity;
    made.uuid = seed_uuid(next(), next());
    made.datacenter = &site;
    model_.attach(made, *site.datastore_folder);
    site.datastores.push_back(&made);
    return made;
  }

  void storage_of(Cluster& owner) {
    const std::size_t per_cluster = plan_.vms / model_.clusters().size() + 1;
    const std::size_t count = 2 + per_cluster * 160 / (8 * 1024);
    for (std::size_t i = 0; i < count; ++i) {
      Datastore& made = datastore(owner.name + "-vmfs-" + two_digits(i + 1), "VMFS",
                                  8 * kTiB - 256 * (kGiB >> 10), *owner.datacenter);
      made.other_used = static_cast<std::int64_t>(8 + below(40)) * kGiB;
      made.hosts = owner.hosts;
      owner.datastores.push_back(&made);
    }
  }

  void shared_storage_of(Datacenter& site) {
    Datastore& made = datastore("nfs-" + site.name + "-library", "NFS", 20 * kTiB, site);
    made.other_used = static_cast<std::int64_t>(900 + below(2000)) * kGiB;
    for (Cluster* c : model_.clusters()) {
      if (c->datacenter != &site) continue;
      made.hosts.insert(made.hosts.end(), c->hosts.begin(), c->hosts.end());
      c->datastores.push_back(&made);
    }
    library_[&site] = &made;
  }

  Host& pick_host() {
    const auto& hosts = model_.hosts();
    Host* best = nullptr;
    for (int i = 0; i < 3; ++i) {
      Host* candidate = hosts[below(hosts.size())];
      if (candidate->maintenance) continue;
      if (best == nullptr || load_[candidate] * best->memory_mb() < load_[best] * candidate->memory_mb()) {
        best = candidate;
      }
    }
    if (best == nullptr) best = hosts[1];  // never in maintenance: see host()
    return *best;
  }

  void vm(std::size_t index) {
    const std::uint64_t who = mix(plan_.seed * 1000003 + index);
    const std::string stem = std::string(seed_application(who)) + "-" + seed_role(who >> 8);
    const bool as_template = index % 40 == 39;
    const GuestOs& guest = seed_guest(who >> 16);
    const std::string name = as_template
                                 ? "tpl-" + std::string(guest.vim_id) + "-" + two_digits(index / 40 + 1)
                                 : stem + "-" + two_digits(++serial_[stem]);
    Vm& made = model_.add<Vm>(id("vm-"), name);
    made.seed = who;
    made.guest = &guest;
    made.is_template = as_template;
    place(made);
    shape(made);
    devices(made);
    if (!as_template) power(made);
    if (!as_template && chance(16)) snapshots(made, 1 + below(4));
    // The first two always have a tree, so that even the smallest inventory shows a branch.
    if (index < 2 && made.snapshot_roots.empty()) snapshots(made, 4);
  }

  void place(Vm& vm) {
    Host& host = pick_host();
    vm.host = &host;
    host.vms.push_back(&vm);
    Datacenter& site = *host.cluster->datacenter;
    const auto& leaves = vm_folders_[&site];
    model_.attach(vm, vm.is_template ? *template_folders_[&site] : *leaves[below(leaves.size())]);
    if (!vm.is_template) {
      const auto& pools = pools_[host.cluster];
      Pool* home = chance(60) ? host.cluster->root_pool : pools[below(pools.size())];
      vm.pool = home;
      home->vms.push_back(&vm);
    }
    Datastore* best = vm.is_template ? library_[&site] : nullptr;
    for (Datastore* candidate : host.cluster->datastores) {
      if (vm.is_template || candidate->type != "VMFS") continue;
      if (best == nullptr || used_[candidate] < used_[best]) best = candidate;
    }
    vm.datastore = best;
    best->vms.push_back(&vm);
  }

  void shape(Vm& vm) {
    static constexpr int kCpus[] = {1, 2, 2, 2, 4, 4, 4, 8};
    static constexpr int kMemory[] = {2048, 4096, 4096, 8192, 8192, 16384, 16384, 32768};
    const std::size_t size = below(8);
    vm.cpus = kCpus[size];
    vm.cores_per_socket = vm.cpus >= 4 ? 2 : 1;
    vm.memory_mb = kMemory[std::min<std::size_t>(7, size + below(2))];
    vm.memory_at_boot_mb = vm.memory_mb;
    vm.cpu_hot_add = chance(40);
    vm.cpu_hot_remove = vm.cpu_hot_add && chance(20);
    vm.memory_hot_add = chance(40);
    vm.tools_installed = !chance(8);
    vm.bios_uuid = seed_uuid(next(), next());
    vm.instance_uuid = seed_uuid(next(), next());
    vm.host_name = vm.name;
    vm.ip_address = "10." + std::to_string(20 + below(4)) + "." + std::to_string(below(250)) + "." +
                    std::to_string(2 + below(250));
    vm.created = plan_.now - static_cast<Millis>(200 + below(700)) * kDay;
    load_[vm.host] += vm.memory_mb;
  }

  void devices(Vm& vm) {
    const std::size_t disks = 1 + (chance(35) ? 1 + below(2) : 0);
    for (std::size_t i = 0; i < disks; ++i) {
      Disk disk;
      disk.key = 2000 + static_cast<int>(i);
      disk.file = "[" + vm.datastore->name + "] " + vm.name + "/" + vm.name +
                  (i == 0 ? "" : "_" + std::to_string(i)) + ".vmdk";
      disk.capacity = static_cast<std::int64_t>(i == 0 ? 32 + 16 * below(4) : 64 << below(3)) * kGiB;
      disk.used = disk.capacity / 100 * static_cast<std::int64_t>(15 + below(60));
      used_[vm.datastore] += disk.capacity;
      vm.disks.push_back(std::move(disk));
    }
    const auto& networks = vm.host->cluster->networks;
    const std::size_t nics = chance(15) ? 2 : 1;
    for (std::size_t i = 0; i < nics; ++i) {
      auto* network = static_cast<Network*>(networks[chance(25) ? 0 : 2 + below(3)]);
      if (i == 0 || vm.nics[0].network != network) network->vms.push_back(&vm);
      vm.nics.push_back({4000 + static_cast<int>(i), seed_mac(next()), network});
    }
  }

  void power(Vm& vm) {
    const std::uint64_t dice = below(100);
    if (dice < 78) {
      vm.power = Power::on;
      vm.boot_time = plan_.now - static_cast<Millis>(3600 + below(86'400 * 60)) * 1000;
    } else if (dice < 83) {
      vm.power = Power::suspended;
      vm.suspend_time = plan_.now - static_cast<Millis>(1 + below(30)) * kDay;
    } else {
      vm.clean_power_off = chance(80);
    }
  }

  void snapshots(Vm& vm, std::uint64_t count) {
    const Millis start = plan_.now - static_cast<Millis>(10 + below(90)) * kDay;
    std::vector<Snapshot*> made;
    for (std::uint64_t i = 0; i < count; ++i) {
      Snapshot& snapshot = model_.add<Snapshot>(id("snapshot-"), seed_snapshot_name(i + (vm.seed >> 4)));
      snapshot.vm = &vm;
      // Mostly a line; the fourth branches off the first.
      snapshot.up = i == 0 ? nullptr : i == 3 ? made[0] : made.back();
      snapshot.description = seed_snapshot_note(below(5));
      snapshot.number = vm.next_snapshot_number++;
      snapshot.created = start + static_cast<Millis>(i) * kDay;
      snapshot.with_memory = vm.power == Power::on && chance(25);
      snapshot.quiesced = !snapshot.with_memory && vm.tools_running() && chance(30);
      snapshot.cpus = vm.cpus;
      snapshot.cores_per_socket = vm.cores_per_socket;
      snapshot.memory_mb = vm.memory_mb;
      snapshot.bytes = static_cast<std::int64_t>(1 + below(8)) * kGiB +
                       (snapshot.with_memory ? static_cast<std::int64_t>(vm.memory_mb) << 20 : 0);
      (snapshot.up == nullptr ? vm.snapshot_roots : snapshot.up->children).push_back(&snapshot);
      made.push_back(&snapshot);
    }
    vm.current_snapshot = made.back();
  }

  // The traps of every real inventory: one name in two folders, and a name that is another object's id. The
  // last plain VM is one whose configuration cannot be read.
  void special_names() {
    std::vector<Vm*> plain;
    for (Vm* vm : model_.vms()) {
      if (!vm->is_template) plain.push_back(vm);
    }
    if (plain.size() < 12) return;
    for (std::size_t i = 4; i < plain.size(); ++i) {
      if (plain[i]->parent == plain[3]->parent) continue;
      plain[i]->name = plain[3]->name;
      break;
    }
    plain[plain.size() - 2]->name = plain[0]->id;
    Vm& lost = *plain.back();
    if (lost.snapshot_roots.empty()) {
      lost.accessible = false;
      lost.power = Power::off;
    }
  }

  // The first cluster's first datastore is nearly full: something for a usage report to warn about.
  void fill_one_datastore() {
    Datastore& tight = *model_.clusters()[0]->datastores[0];
    std::int64_t used = tight.other_used;
    for (const Vm* vm : tight.vms) used += vm->committed();
    tight.other_used += std::max<std::int64_t>(0, tight.capacity / 100 * 94 - used);
  }

  Model& model_;
  const SeedPlan& plan_;
  std::uint64_t state_;
  int number_ = 0;
  std::map<const Datacenter*, std::vector<Folder*>> vm_folders_;
  std::map<const Datacenter*, Folder*> template_folders_;
  std::map<const Datacenter*, Datastore*> library_;
  std::map<const Cluster*, std::vector<Pool*>> pools_;
  std::map<const Host*, std::int64_t> load_;
  std::map<const Datastore*, std::int64_t> used_;
  std::map<std::string, std::size_t> serial_;
};

}  // namespace

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

void seed_inventory(Model& model, const SeedPlan& plan) {
  Seeder(model, plan).run();
}

}  // namespace vmcp::simulator
