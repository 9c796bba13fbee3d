// The inventory: what exists, where it hangs, what state it is in. No behaviour beyond finding, adding and
// removing; statistics, tasks and protocols are elsewhere. Not thread-safe: guarded by VCenter's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulator/virtual_clock.h"

namespace vmcp::simulator {

enum class Kind {
  service,  // ServiceInstance
  folder,
  datacenter,
  cluster,
  host,
  pool,
  datastore,
  network,    // standard port group
  portgroup,  // distributed port group
  dvs,
  vm,
  snapshot,
  task,
  view,  // ContainerView
};

// The wire name: "VirtualMachine", "ClusterComputeResource" …
const char* type_name(Kind kind);
// Whether an object of `kind` is a `type`, counting vim25's base types (ManagedEntity, ComputeResource …).
bool is_a(Kind kind, std::string_view type);

struct Entity {
  Entity(Kind k, std::string i, std::string n) : kind(k), id(std::move(i)), name(std::move(n)) {}
  virtual ~Entity() = default;
  Entity(const Entity&) = delete;
  Entity& operator=(const Entity&) = delete;

  Kind kind;
  std::string id;  // MoRef value: "vm-3301"
  std::string name;
  Entity* parent = nullptr;  // inventory parent; null for the root folder and for objects outside the tree
};

enum class FolderType { datacenter, vm, host, datastore, network };

struct Vm;
struct Host;
struct Pool;
struct Datastore;
struct Network;
struct Dvs;

struct Folder : Entity {
  static constexpr Kind kKind = Kind::folder;
  Folder(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  FolderType type = FolderType::vm;
  std::vector<Entity*> children;
};

struct Datacenter : Entity {
  static constexpr Kind kKind = Kind::datacenter;
  Datacenter(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  Folder* vm_folder = nullptr;
  Folder* host_folder = nullptr;
  Folder* datastore_folder = nullptr;
  Folder* network_folder = nullptr;
  std::vector<Datastore*> datastores;
  std::vector<Entity*> networks;
};

struct Cluster : Entity {
  static constexpr Kind kKind = Kind::cluster;
  Cluster(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  bool ha = true;
  bool drs = true;
  Datacenter* datacenter = nullptr;
  Pool* root_pool = nullptr;
  std::vector<Host*> hosts;
  std::vector<Datastore*> datastores;
  std::vector<Entity*> networks;
};

struct VmUsage {
  int cpu_mhz = 0;
  int memory_active_mb = 0;    // guestMemoryUsage
  int memory_consumed_mb = 0;  // hostMemoryUsage
};

struct HostUsage {
  int cpu_mhz = 0;
  int memory_mb = 0;
};

struct Host : Entity {
  static constexpr Kind kKind = Kind::host;
  Host(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  Cluster* cluster = nullptr;
  std::string vendor, model, cpu_model, uuid;
  int cpu_mhz = 0, packages = 0, cores = 0, threads = 0;
  std::int64_t memory_bytes = 0;
  Millis boot_time = 0;
  bool maintenance = false;
  std::vector<Vm*> vms;
  // Cache of statistics.cpp: valid for one 20 s interval, and until something on the host changes.
  std::int64_t usage_interval = -1;
  HostUsage usage;

  std::int64_t cpu_capacity_mhz() const { return static_cast<std::int64_t>(cpu_mhz) * cores; }
  std::int64_t memory_mb() const { return memory_bytes >> 20; }
  void usage_changed() { usage_interval = -1; }
};

struct Allocation {
  std::int64_t reservation = 0;
  std::int64_t limit = -1;
  bool expandable = true;
  std::string level = "normal";  // low, normal, high
  int shares = 4000;
};

struct Pool : Entity {
  static constexpr Kind kKind = Kind::pool;
  Pool(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  Cluster* cluster = nullptr;
  Allocation cpu, memory;
  std::vector<Pool*> pools;
  std::vector<Vm*> vms;
};

struct Datastore : Entity {
  static constexpr Kind kKind = Kind::datastore;
  Datastore(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  std::string type;  // "VMFS", "NFS": the spelling of both APIs
  std::string uuid;
  std::int64_t capacity = 0;
  std::int64_t other_used = 0;  // ISO images and what no VM owns
  Datacenter* datacenter = nullptr;
  std::vector<Host*> hosts;
  std::vector<Vm*> vms;
};

struct Network : Entity {
  Network(Kind k, std::string i, std::string n) : Entity(k, std::move(i), std::move(n)) {}
  bool distributed() const { return kind == Kind::portgroup; }
  Dvs* dvs = nullptr;
  std::vector<Host*> hosts;
  std::vector<Vm*> vms;
};

struct Dvs : Entity {
  static constexpr Kind kKind = Kind::dvs;
  Dvs(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  std::string uuid;
  std::vector<Network*> portgroups;
};

enum class Power { off, on, suspended };

struct GuestOs {
  const char* api_name;  // "RHEL_9_64"
  const char* vim_id;    // "rhel9_64Guest"
  const char* full_name;
  const char* api_family;  // "LINUX"
  const char* vim_family;  // "linuxGuest"
};

struct Disk {
  int key = 2000;
  std::string file;  // "[ds-a] ledger-db/ledger-db.vmdk"
  std::int64_t capacity = 0;
  std::int64_t used = 0;
};

struct Nic {
  int key = 4000;
  std::string mac;
  Network* network = nullptr;
};

struct Snapshot : Entity {
  static constexpr Kind kKind = Kind::snapshot;
  Snapshot(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  Vm* vm = nullptr;
  Snapshot* up = nullptr;
  std::vector<Snapshot*> children;
  std::string description;
  int number = 1;
  Millis created = 0;
  bool with_memory = false;  // was running, and its memory is kept
  bool quiesced = false;
  std::int64_t bytes = 0;
  int cpus = 1, cores_per_socket = 1, memory_mb = 0;
};

// What the guest is doing while it was asked to shut down or reboot.
enum class GuestTransition { none, shutting_down, resetting };

struct Vm : Entity {
  static constexpr Kind kKind = Kind::vm;
  Vm(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  Host* host = nullptr;
  Pool* pool = nullptr;  // null for templates
  Datastore* datastore = nullptr;
  std::string bios_uuid, instance_uuid, ip_address, host_name;
  const GuestOs* guest = nullptr;
  bool is_template = false;
  bool accessible = true;  // false: its configuration cannot be read
  bool tools_installed = true;
  int cpus = 1, cores_per_socket = 1, memory_mb = 1024;
  bool cpu_hot_add = false, cpu_hot_remove = false, memory_hot_add = false;
  int memory_at_boot_mb = 1024;  // the hot-add limit is a multiple of it
  Power power = Power::off;
  bool clean_power_off = true;
  Millis created = 0, boot_time = 0, suspend_time = 0;
  GuestTransition transition = GuestTransition::none;
  std::vector<Disk> disks;
  std::vector<Nic> nics;
  std::vector<Snapshot*> snapshot_roots;
  Snapshot* current_snapshot = nullptr;
  int next_snapshot_number = 1;
  std::string storage_policy = "VM_STORAGE_POLICY";
  std::uint64_t seed = 0;  // of its load curve
  VmUsage usage;           // cache, see Host::usage_interval

  bool tools_running() const { return power == Power::on && tools_installed; }
  std::int64_t committed() const;    // bytes on its datastore
  std::int64_t uncommitted() const;  // bytes that its thin disks may still take
};

// Owns every object. Ids are unique; order of each list is the order of creation.
class Model {
 public:
  Model();

  template <class T, class... Args>
  T& add(std::string id, std::string name, Args&&... args) {
    auto owned = std::make_unique<T>(std::forward<Args>(args)..., std::move(id), std::move(name));
    T& object = *owned;
    insert(std::move(owned));
    return object;
  }
  Entity* find(std::string_view id) const;
  template <class T>
  T* find_as(std::string_view id) const {
    Entity* found = find(id);
    return found != nullptr && found->kind == T::kKind ? static_cast<T*>(found) : nullptr;
  }
  // Network and distributed port group share a struct.
  Network* find_network(std::string_view id) const;

  void attach(Entity& child, Folder& folder);
  void move(Vm& vm, Folder& folder);
  void remove_vm(Vm& vm);
  void remove_snapshot(Snapshot& snapshot);
  void remove_task(std::string_view id);

  int next_number() { return next_number_++; }
  Folder& root() const { return *root_; }
  void set_root(Folder& root) { root_ = &root; }

  const std::vector<Folder*>& folders() const { return folders_; }
  const std::vector<Datacenter*>& datacenters() const { return datacenters_; }
  const std::vector<Cluster*>& clusters() const { return clusters_; }
  const std::vector<Host*>& hosts() const { return hosts_; }
  const std::vector<Pool*>& pools() const { return pools_; }
  const std::vector<Datastore*>& datastores() const { return datastores_; }
  const std::vector<Network*>& networks() const { return networks_; }
  const std::vector<Vm*>& vms() const { return vms_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void insert(std::unique_ptr<Entity> object);

  std::unordered_map<std::string, std::unique_ptr<Entity>, Hash, std::equal_to<>> objects_;
  Folder* root_ = nullptr;
  int next_number_ = 1;
  std::vector<Folder*> folders_;
  std::vector<Datacenter*> datacenters_;
  std::vector<Cluster*> clusters_;
  std::vector<Host*> hosts_;
  std::vector<Pool*> pools_;
  std::vector<Datastore*> datastores_;
  std::vector<Network*> networks_;
  std::vector<Vm*> vms_;
};

// Whether `ancestor` is `entity` or above it in the inventory tree.
bool is_under(const Entity& entity, const Entity& ancestor);
const Datacenter* datacenter_of(const Entity& entity);
std::int64_t free_space(const Datastore& datastore);
std::int64_t uncommitted_space(const Datastore& datastore);

const char* api_name(Power power);  // "POWERED_ON"
const char* vim_name(Power power);  // "poweredOn"
const char* api_name(FolderType type);

}  // namespace vmcp::simulator
