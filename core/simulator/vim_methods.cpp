// The methods that this vCenter serves, with their parameters and the privilege that each needs on its
// target.
#include <algorithm>
#include <array>

#include "simulator/vim.h"
#include "simulator/vim_service.h"

namespace vmcp::simulator {
namespace {

template <std::size_t N>
constexpr Method method(const char* type, const char* name, const char* privilege,
                        const Parameter (&parameters)[N], VimAnswer (*handler)(VimCall&)) {
  return {type, name, privilege, parameters, N, handler};
}
constexpr Method method(const char* type, const char* name, const char* privilege,
                        VimAnswer (*handler)(VimCall&)) {
  return {type, name, privilege, nullptr, 0, handler};
}

constexpr Parameter kHostParameter[] = {{"host", 'r', true}};
constexpr Parameter kSpec[] = {{"spec", 'o', false}};
constexpr Parameter kSnapshotParameters[] = {
    {"name", 's', false}, {"description", 's', true}, {"memory", 'b', false}, {"quiesce", 'b', false}};
constexpr Parameter kSnapshotEx[] = {
    {"name", 's', false}, {"description", 's', true}, {"memory", 'b', false}, {"quiesceSpec", 'o', true}};
constexpr Parameter kRemoveAll[] = {{"consolidate", 'b', true}, {"spec", 'o', true}};
constexpr Parameter kRemove[] = {{"removeChildren", 'b', false}, {"consolidate", 'b', true}};
constexpr Parameter kRevert[] = {{"host", 'r', true}, {"suppressPowerOn", 'b', true}};
constexpr Parameter kRename[] = {{"name", 's', true}, {"description", 's', true}};

constexpr std::array kObjectMethods = {
    method("VirtualMachine", "PowerOnVM_Task", "VirtualMachine.Interact.PowerOn", kHostParameter,
           vim_power_on),
    method("VirtualMachine", "PowerOffVM_Task", "VirtualMachine.Interact.PowerOff", vim_power_off),
    method("VirtualMachine", "ResetVM_Task", "VirtualMachine.Interact.Reset", vim_reset),
    method("VirtualMachine", "SuspendVM_Task", "VirtualMachine.Interact.Suspend", vim_suspend),
    method("VirtualMachine", "ShutdownGuest", "VirtualMachine.Interact.PowerOff", vim_shutdown_guest),
    method("VirtualMachine", "RebootGuest", "VirtualMachine.Interact.Reset", vim_reboot_guest),
    method("VirtualMachine", "StandbyGuest", "VirtualMachine.Interact.Suspend", vim_standby_guest),
    method("VirtualMachine", "ReconfigVM_Task", "", kSpec, vim_reconfigure),
    method("VirtualMachine", "Destroy_Task", "VirtualMachine.Inventory.Delete", vim_destroy),
    method("VirtualMachine", "CreateSnapshot_Task", "VirtualMachine.State.CreateSnapshot",
           kSnapshotParameters, vim_create_snapshot),
    method("VirtualMachine", "CreateSnapshotEx_Task", "VirtualMachine.State.CreateSnapshot", kSnapshotEx,
           vim_create_snapshot_ex),
    method("VirtualMachine", "RemoveAllSnapshots_Task", "VirtualMachine.State.RemoveSnapshot", kRemoveAll,
           vim_remove_all_snapshots),
    method("VirtualMachine", "RevertToCurrentSnapshot_Task", "VirtualMachine.State.RevertToSnapshot", kRevert,
           vim_revert_to_current),
    method("VirtualMachineSnapshot", "RemoveSnapshot_Task", "VirtualMachine.State.RemoveSnapshot", kRemove,
           vim_remove_snapshot),
    method("VirtualMachineSnapshot", "RevertToSnapshot_Task", "VirtualMachine.State.RevertToSnapshot",
           kRevert, vim_revert_to_snapshot),
    method("VirtualMachineSnapshot", "RenameSnapshot", "VirtualMachine.State.RenameSnapshot", kRename,
           vim_rename_snapshot),
    method("Task", "CancelTask", "", vim_cancel_task),
    method("ClusterComputeResource", "GetResourceUsage", "System.Read", vim_cluster_usage),
    method("ServiceInstance", "CurrentTime", "System.View", vim_current_time),
    method("ServiceInstance", "RetrieveServiceContent", "System.Anonymous", vim_service_content),
    method("ContainerView", "DestroyView", "", vim_destroy_view),
};

constexpr Parameter kLogin[] = {{"userName", 's', false}, {"password", 's', false}, {"locale", 's', true}};
constexpr Parameter kSessionCheck[] = {{"sessionID", 's', false}, {"userName", 's', false}};
constexpr Parameter kViewParameters[] = {
    {"container", 'r', false}, {"type", 'S', true}, {"recursive", 'b', false}};
constexpr Parameter kRetrieve[] = {{"specSet", 'O', false}, {"options", 'o', false}};
constexpr Parameter kToken[] = {{"token", 's', false}};
constexpr Parameter kHasPrivilege[] = {
    {"entity", 'R', false}, {"sessionId", 's', false}, {"privId", 'S', true}};
constexpr Parameter kUserHasPrivilege[] = {
    {"entities", 'R', false}, {"userName", 's', false}, {"privId", 'S', true}};
constexpr Parameter kUserPrivileges[] = {{"entities", 'R', false}, {"userName", 's', false}};

struct Manager {
  const char* type;
  const char* id;
};
constexpr std::array kManagers = {
    Manager{"SessionManager", kSessionManager},
    Manager{"ViewManager", kViewManager},
    Manager{"PropertyCollector", kPropertyCollector},
    Manager{"AuthorizationManager", kAuthorizationManager},
    Manager{"TaskManager", kTaskManager},
};

constexpr std::array kManagerMethods = {
    method("SessionManager", "Login", "System.Anonymous", kLogin, vim_login),
    method("SessionManager", "Logout", "System.View", vim_logout),
    method("SessionManager", "SessionIsActive", "Sessions.ValidateSession", kSessionCheck,
           vim_session_is_active),
    method("ViewManager", "CreateContainerView", "System.View", kViewParameters, vim_create_container_view),
    method("PropertyCollector", "RetrievePropertiesEx", "System.View", kRetrieve, vim_retrieve),
    method("PropertyCollector", "ContinueRetrievePropertiesEx", "System.View", kToken, vim_continue),
    method("PropertyCollector", "CancelRetrievePropertiesEx", "System.View", kToken, vim_cancel_retrieve),
    method("AuthorizationManager", "HasPrivilegeOnEntities", "System.View", kHasPrivilege,
           vim_has_privilege_on_entities),
    method("AuthorizationManager", "HasUserPrivilegeOnEntities", "", kUserHasPrivilege,
           vim_has_user_privilege_on_entities),
    method("AuthorizationManager", "FetchUserPrivilegeOnEntities", "", kUserPrivileges,
           vim_fetch_user_privileges),
};

}  // namespace

const Method* find_method(Kind kind, std::string_view name) {
  for (const Method& candidate : kObjectMethods) {
    if (candidate.name == name && is_a(kind, candidate.type)) return &candidate;
  }
  return nullptr;
}

const Method* find_manager_method(std::string_view type, std::string_view id, std::string_view name) {
  const bool served = std::any_of(kManagers.begin(), kManagers.end(), [&](const Manager& manager) {
    return manager.type == type && manager.id == id;
  });
  if (!served) return nullptr;
  for (const Method& candidate : kManagerMethods) {
    if (candidate.type == type && candidate.name == name) return &candidate;
  }
  return nullptr;
}

}  // namespace vmcp::simulator
