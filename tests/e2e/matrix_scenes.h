// Who may do what on which site: the configurations of the matrix, and beside each, by hand, what it means.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace vmcp::testing {

using Words = std::set<std::string>;

inline const Words kReading = {"list_vms",         "get_vm_details",      "list_vm_snapshots",
                               "list_hosts",       "list_datastores",     "list_networks",
                               "list_datacenters", "get_datastore_usage", "get_resource_utilization_summary"};
inline const Words kOperating = {"power_on_vm", "power_off_vm", "restart_vm", "create_vm_snapshot"};
inline const Words kAdministering = {"delete_vm", "delete_vm_snapshot", "modify_vm_resources"};
inline const Words kPrompts = {"what_happened_to_vm", "snapshot_ageing_review", "datastore_running_full",
                               "pre_maintenance_check", "safe_resize"};
inline const Words kKinds = {"datacenter", "cluster", "host", "datastore"};

inline Words operator+(Words a, const Words& b) {
  a.insert(b.begin(), b.end());
  return a;
}
inline const Words kAll = kReading + kOperating + kAdministering;

struct Vm {
  std::string id, name, path, snapshot;
};

// What a caller may do, as it is written in the configuration beside it.
struct Caller {
  const char* role;  // of the demo's token; what it may is defined anew per site
  Words tools;
  bool resources = false, prompts = false;
  std::function<bool(const Vm&)> sees = [](const Vm&) { return true; };
  bool sees_others = true;  // objects that are no virtual machines
  std::string token() const { return std::string("demo-") + role; }
};

struct Scene {
  const char* name;
  const char* configuration;
  std::vector<Caller> callers;
};

inline std::string of_rule(const char* name, const char* role, const char* tools, const char* targets) {
  return std::string("[[policy.rule]]\nname = \"") + name + "\"\neffect = \"allow\"\nroles = [\"" + role +
         "\"]\ntools = [" + tools + "]\ntargets = { " + targets + " }\n";
}

inline bool below(const Vm& vm, const std::string& folder) {
  return vm.path.starts_with(folder + "/");
}

inline std::vector<Scene> scenes() {
  static const std::string parts =
      "[auth.role.read]\n[auth.role.ops]\n[auth.role.admin]\n" +
      of_rule("by-folder", "read", "\"*\"", "folders = [\"/north/vm/Staging\"]") +
      of_rule("by-tag", "ops", "\"list_vms\", \"get_vm_details\", \"modify_vm_resources\", \"resource/*\"",
              "tags = [\"env/prod\"]") +
      of_rule("by-name", "admin", "\"get_vm_details\", \"delete_vm*\", \"power_o?_vm\", \"prompt/what_*\"",
              "names = [\"voice-*\"], kinds = [\"vm\"]");
  const auto in_production = [](const Vm& vm) { return vm.path.find("/Production/") != std::string::npos; };
  return {
      {"the default roles",
       "",
       {{"read", kReading, true, true},
        {"ops", kReading + kOperating, true, true},
        {"admin", kAll, true, true}}},
      {"parts of the inventory",
       parts.c_str(),
       {{"read", kAll, true, true, [](const Vm& vm) { return below(vm, "/north/vm/Staging"); }, false},
        {"ops", {"list_vms", "get_vm_details", "modify_vm_resources"}, true, false, in_production, false},
        {"admin",
         {"get_vm_details", "delete_vm", "delete_vm_snapshot", "power_on_vm"},
         false,
         true,
         [](const Vm& vm) { return vm.name.starts_with("voice-"); },
         false}}},
      {"one thing only",
       "[auth.role.read]\nallow = [\"get_vm_details\"]\n[auth.role.ops]\nallow = [\"resource/*\"]\n"
       "[auth.role.admin]\nallow = [\"prompt/*\"]\n",
       {{"read", {"get_vm_details"}}, {"ops", {}, true}, {"admin", {}, false, true}}},
      {"denied after allowed",
       "[auth.role.read]\nallow = [\"*\"]\ndeny = [\"power_*\", \"prompt/*\"]\n[auth.role.ops]\n"
       "inherits = [\"read\"]\nallow = [\"power_on_vm\"]\n[auth.role.admin]\nallow = [\"*\"]\n"
       "[[policy.rule]]\nname = \"hidden\"\neffect = \"deny\"\nroles = [\"admin\"]\ntools = [\"*\"]\n"
       "targets = { folders = [\"/south/vm\"] }\n",
       {{"read", kReading + kAdministering + Words{"restart_vm", "create_vm_snapshot"}, true, false},
        {"ops", kReading + kAdministering + Words{"restart_vm", "create_vm_snapshot"}, true, false},
        {"admin", kAll, true, true, [](const Vm& vm) { return !below(vm, "/south/vm"); }}}},
  };
}

}  // namespace vmcp::testing
