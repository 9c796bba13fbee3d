// VI/JSON: /sdk/vim25/{release}/{type}/{id}/{property or method}. GET reads a property, POST calls a method.
#pragma once

#include <optional>
#include <string>

#include "simulator/failure.h"
#include "simulator/vm_operations.h"
#include "simulator/world.h"

namespace vmcp::simulator {

struct VimCall {
  World& world;
  const Request& http;
  std::string type, id, member;
  Entity* target = nullptr;    // null for the managers
  Json body = Json::object();  // the method's parameters
  Session* session = nullptr;  // null: not logged in

  const User& user() const { return *session->user; }
};

struct VimAnswer {
  int status = 200;
  std::string body;
  Pairs headers;

  static VimAnswer of(const Json& value) { return {200, dump_json(value), {}}; }
  static VimAnswer text(std::string body) { return {200, std::move(body), {}}; }
  static VimAnswer nothing() { return {204, {}, {}}; }
  static VimAnswer fault(const Failure& failure) { return {500, dump_json(fault_body(failure)), {}}; }
};

struct VimResult {
  Reply reply;
  std::string operation;  // "VirtualMachine.PowerOnVM_Task", "GET VirtualMachine.snapshot"
  std::string user;
};
VimResult handle_vim(World& world, const Request& request);

// One parameter's rule. `type` is what its JSON must be: 's' string, 'b' boolean, 'i' integer, 'r' reference,
// 'o' object, 'R' references, 'S' strings, 'O' objects.
struct Parameter {
  const char* name;
  char type;
  bool optional;
};

struct Method {
  const char* type;  // vim25 type that declares it
  const char* name;
  const char* privilege;  // on the target; "" = the handler checks, or nothing is needed
  const Parameter* parameters;
  std::size_t parameter_count;
  VimAnswer (*handler)(VimCall&);
};
const Method* find_method(Kind kind, std::string_view name);  // of inventory objects
const Method* find_manager_method(std::string_view type, std::string_view id, std::string_view name);

// Null when a reference names an object that exists and the account may view; otherwise the fault.
std::optional<Failure> check_reference(const VimCall& call, const Json& reference,
                                       std::string_view base_type);
std::string reference_id(const Json& reference);

VimAnswer task_answer(const Started& started);
Failure not_authenticated(std::string_view type, std::string_view id, std::string_view privilege);

// Managers' methods, by file.
VimAnswer vim_login(VimCall&);  // vim_session.cpp
VimAnswer vim_logout(VimCall&);
VimAnswer vim_session_is_active(VimCall&);
VimAnswer vim_service_content(VimCall&);
VimAnswer vim_current_time(VimCall&);
VimAnswer vim_has_privilege_on_entities(VimCall&);  // vim_authorization.cpp
VimAnswer vim_has_user_privilege_on_entities(VimCall&);
VimAnswer vim_fetch_user_privileges(VimCall&);
VimAnswer vim_create_container_view(VimCall&);  // vim_views.cpp
VimAnswer vim_destroy_view(VimCall&);
VimAnswer vim_retrieve(VimCall&);  // vim_collector.cpp
VimAnswer vim_continue(VimCall&);
VimAnswer vim_cancel_retrieve(VimCall&);
// Objects' methods.
VimAnswer vim_power_on(VimCall&);  // vim_vm_methods.cpp
VimAnswer vim_power_off(VimCall&);
VimAnswer vim_reset(VimCall&);
VimAnswer vim_suspend(VimCall&);
VimAnswer vim_shutdown_guest(VimCall&);
VimAnswer vim_reboot_guest(VimCall&);
VimAnswer vim_standby_guest(VimCall&);
VimAnswer vim_reconfigure(VimCall&);
VimAnswer vim_destroy(VimCall&);
VimAnswer vim_create_snapshot(VimCall&);  // vim_snapshot.cpp
VimAnswer vim_create_snapshot_ex(VimCall&);
VimAnswer vim_remove_all_snapshots(VimCall&);
VimAnswer vim_revert_to_current(VimCall&);
VimAnswer vim_remove_snapshot(VimCall&);
VimAnswer vim_revert_to_snapshot(VimCall&);
VimAnswer vim_rename_snapshot(VimCall&);
VimAnswer vim_cancel_task(VimCall&);    // vim_task.cpp
VimAnswer vim_cluster_usage(VimCall&);  // vim_cluster_methods.cpp

}  // namespace vmcp::simulator
