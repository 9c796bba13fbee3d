// What can be done to a VM, with vSphere's rules, once for both APIs. `refuse_…` tells whether the state
// forbids it; `start_…` begins the task (the Automation API refuses at once, VI/JSON shows the refusal in the
// task).
#pragma once

#include <optional>

#include "simulator/world.h"

namespace vmcp::simulator {

enum class PowerOp { on, off, reset, suspend };
enum class GuestOp { shutdown, reboot, standby };

struct ReconfigureSpec {
  std::optional<std::int64_t> cpus, cores_per_socket, memory_mb;
  std::optional<bool> cpu_hot_add, cpu_hot_remove, memory_hot_add;
};

struct SnapshotSpec {
  std::string name, description;
  bool memory = false;
  bool quiesce = false;
};

struct Started {
  Task* task = nullptr;            // null: refused before any task was made
  std::optional<Failure> refused;  // set when task is null
};

constexpr int kMostCpus = 768;
constexpr std::int64_t kMostMemoryMb = 24LL * 1024 * 1024;
constexpr int kHotAddStepMb = 128;
// The ceiling of hot-add: sixteen times what the VM booted with, at least 64 GiB.
std::int64_t hot_add_limit_mb(const Vm& vm);

std::optional<Failure> refuse_power(const Vm& vm, PowerOp op);
std::optional<Failure> refuse_guest(const Vm& vm, GuestOp op);
std::optional<Failure> refuse_reconfigure(const Vm& vm, const ReconfigureSpec& spec);
std::optional<Failure> refuse_destroy(const Vm& vm);

const char* privilege_of(PowerOp op);

Started start_power(World& world, const User& user, Vm& vm, PowerOp op);
Started start_guest(World& world, const User& user, Vm& vm, GuestOp op);
Started start_reconfigure(World& world, const User& user, Vm& vm, const ReconfigureSpec& spec);
Started start_destroy(World& world, const User& user, Vm& vm);

Started start_create_snapshot(World& world, const User& user, Vm& vm, const SnapshotSpec& spec,
                              const char* method);
Started start_remove_snapshot(World& world, const User& user, Snapshot& snapshot, bool children);
Started start_remove_all_snapshots(World& world, const User& user, Vm& vm);
Started start_revert(World& world, const User& user, Snapshot& snapshot, bool suppress_power_on,
                     const char* method);
std::optional<Failure> rename_snapshot(World& world, Snapshot& snapshot,
                                       const std::optional<std::string>& name,
                                       const std::optional<std::string>& description);

}  // namespace vmcp::simulator
