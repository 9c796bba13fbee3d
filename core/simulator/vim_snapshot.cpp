// Snapshots in VI/JSON: the tree as a property, and the methods that change it.
#include "simulator/vim.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

void put_tree(std::string& out, const Snapshot& snapshot) {
  out += R"({"_typeName":"VirtualMachineSnapshotTree","snapshot":)";
  put_moref(out, snapshot);
  out += R"(,"vm":)";
  put_moref(out, *snapshot.vm);
  out += R"(,"name":)";
  put(out, snapshot.name);
  out += R"(,"description":)";
  put(out, snapshot.description);
  out += R"(,"id":)";
  put(out, snapshot.number);
  out += R"(,"createTime":)";
  put_time(out, snapshot.created);
  out += R"(,"state":)";
  // Without its memory a snapshot comes back powered off, whatever the VM was doing.
  put(out, snapshot.with_memory ? "poweredOn" : "poweredOff");
  out += R"(,"quiesced":)";
  put(out, snapshot.quiesced);
  if (!snapshot.children.empty()) {
    out += R"(,"childSnapshotList":)";
    put_snapshot_list(out, snapshot.children);
  }
  out += R"(,"replaySupported":false})";
}

const Node kSnapshot[] = {
    leaf("vm", "ManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_moref(o, *s.as<Snapshot>().vm); }),
    leaf("childSnapshot", "ArrayOfManagedObjectReference",
         [](std::string& o, const Subject& s) { return put_morefs(o, s.as<Snapshot>().children); }),
    leaf("config", "VirtualMachineConfigInfo",
         [](std::string& o, const Subject& s) {
           // The configuration as it was; apart from its size a simulated VM does not change.
           const Snapshot& snapshot = s.as<Snapshot>();
           std::string now;
           write_value(now, find_path(Kind::vm, "config"), {*snapshot.vm, s.world});
           Result<Json> config = parse_trusted_json(now);
           if (!config) return false;
           (*config)["hardware"]["numCPU"] = snapshot.cpus;
           (*config)["hardware"]["numCoresPerSocket"] = snapshot.cores_per_socket;
           (*config)["hardware"]["memoryMB"] = snapshot.memory_mb;
           return put_json(o, *config);
         }),
    absent("availableField value"),
};

std::optional<std::string> optional_text(const Json& body, const char* name) {
  const auto it = body.find(name);
  if (it == body.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

SnapshotSpec read_spec(const VimCall& call) {
  SnapshotSpec spec;
  spec.name = call.body.value("name", "");
  spec.description = optional_text(call.body, "description").value_or("");
  spec.memory = call.body.value("memory", false);
  return spec;
}

bool suppress_power_on(const VimCall& call) {
  const auto it = call.body.find("suppressPowerOn");
  return it != call.body.end() && it->is_boolean() && it->get<bool>();
}

}  // namespace

bool has_snapshots(const Vm& vm) {
  return !vm.snapshot_roots.empty();
}

bool put_snapshot_list(std::string& out, const std::vector<Snapshot*>& list) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    put_tree(out, *list[i]);
  }
  out += ']';
  return true;
}

std::span<const Node> snapshot_nodes() {
  return kSnapshot;
}

VimAnswer vim_create_snapshot(VimCall& call) {
  SnapshotSpec spec = read_spec(call);
  spec.quiesce = call.body.value("quiesce", false);
  return task_answer(start_create_snapshot(call.world, call.user(), static_cast<Vm&>(*call.target), spec,
                                           "CreateSnapshot_Task"));
}

VimAnswer vim_create_snapshot_ex(VimCall& call) {
  SnapshotSpec spec = read_spec(call);
  const auto quiesce = call.body.find("quiesceSpec");
  if (quiesce != call.body.end() && quiesce->is_object()) {
    const std::string type = quiesce->value("_typeName", "");
    if (type != "VirtualMachineGuestQuiesceSpec" && type != "VirtualMachineWindowsQuiesceSpec") {
      return VimAnswer::fault(
          invalid_argument("quiesceSpec", "The parameter is no VirtualMachineGuestQuiesceSpec."));
    }
    spec.quiesce = true;
  }
  return task_answer(start_create_snapshot(call.world, call.user(), static_cast<Vm&>(*call.target), spec,
                                           "CreateSnapshotEx_Task"));
}

VimAnswer vim_remove_all_snapshots(VimCall& call) {
  return task_answer(start_remove_all_snapshots(call.world, call.user(), static_cast<Vm&>(*call.target)));
}

VimAnswer vim_revert_to_current(VimCall& call) {
  Vm& vm = static_cast<Vm&>(*call.target);
  if (vm.current_snapshot == nullptr) {
    return VimAnswer::fault(simple_failure("NotFound", "The virtual machine has no current snapshot."));
  }
  return task_answer(start_revert(call.world, call.user(), *vm.current_snapshot, suppress_power_on(call),
                                  "RevertToCurrentSnapshot_Task"));
}

VimAnswer vim_remove_snapshot(VimCall& call) {
  const bool children = call.body.value("removeChildren", false);
  return task_answer(
      start_remove_snapshot(call.world, call.user(), static_cast<Snapshot&>(*call.target), children));
}

VimAnswer vim_revert_to_snapshot(VimCall& call) {
  return task_answer(start_revert(call.world, call.user(), static_cast<Snapshot&>(*call.target),
                                  suppress_power_on(call), "RevertToSnapshot_Task"));
}

VimAnswer vim_rename_snapshot(VimCall& call) {
  const auto failure =
      rename_snapshot(call.world, static_cast<Snapshot&>(*call.target), optional_text(call.body, "name"),
                      optional_text(call.body, "description"));
  return failure ? VimAnswer::fault(*failure) : VimAnswer::nothing();
}

}  // namespace vmcp::simulator
