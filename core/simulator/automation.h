// The Automation API. Handlers think in the /api dialect only: dialect.cpp turns a /rest request into these
// terms and the answer back, routes live in one table (automation_routes.cpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "simulator/vm_operations.h"
#include "simulator/world.h"

namespace vmcp::simulator {

enum class Dialect { api, rest };

struct Message {
  std::string id;
  std::string text;
  std::vector<std::string> args;
};

struct Answer {
  enum class Kind { value, created, nothing, error };
  Kind kind = Kind::nothing;
  Json value;
  std::vector<std::string> maps;  // members of `value` that are maps: key/value lists in /rest
  std::string error_type;
  std::vector<Message> messages;
  Pairs headers;
  // Not empty: the answer is due when this task has ended, with its failure or with nothing.
  std::string task_id;

  static Answer of(Json value) {
    Answer out;
    out.kind = Kind::value;
    out.value = std::move(value);
    return out;
  }
  static Answer error(std::string type, Message message) {
    Answer out;
    out.kind = Kind::error;
    out.error_type = std::move(type);
    out.messages.push_back(std::move(message));
    return out;
  }
};

struct Call {
  World& world;
  const Request& http;
  Dialect dialect;
  std::vector<std::string> ids;  // what the path's {…} matched, in order
  Pairs query;                   // without "action" and without the /rest prefix
  Json body;                     // the spec itself, in both dialects
  Session* session = nullptr;    // never null behind a route that needs one

  const User& user() const { return *session->user; }
  std::vector<std::string> values(std::string_view name) const;
};

struct Route {
  const char* method;
  const char* path;    // "/api/vcenter/vm/{vm}/power"
  const char* action;  // "" = none
  // The /rest twin: null = the same path under /rest with the same action; "" = not served there.
  const char* rest_path;
  const char* rest_action;
  const char* params;       // allowed query names, space-separated
  const char* rest_prefix;  // in front of them in /rest: "filter."
  bool needs_session;
  Answer (*handler)(Call&);
};

struct RouteMatch {
  const Route* route = nullptr;  // null: nothing is served there
  Dialect dialect = Dialect::api;
  std::vector<std::string> ids;
  std::string name;  // "GET /api/vcenter/vm/{vm}"
};
RouteMatch find_route(const Request& request);

// One whole request in either dialect. Reply::status 0 with `pending` set: due when the task has ended.
struct AutomationResult {
  Reply reply;
  std::string operation;
  std::string user;
  std::string pending_task;
  Dialect dialect = Dialect::api;
};
AutomationResult handle_automation(World& world, const Request& request);
// The reply of a request that waited for its task.
Reply reply_after_task(const Task& task, Dialect dialect);

// dialect.cpp
Reply to_reply(const Answer& answer, Dialect dialect);
int status_of(std::string_view error_type, Dialect dialect);
// The dialect's own error body for a bare HTTP status, for injected faults and for what no handler answers.
Reply error_reply(int status, Dialect dialect);

// automation_errors.cpp
Answer answer_for(const Failure& failure);
Answer not_found(const char* what, const char* id_part, const std::string& id);
Answer unauthenticated();
Answer unauthorized(const Entity& entity, std::string_view privilege);
Answer invalid_argument_answer(std::string text, std::vector<std::string> args = {});
Answer unexpected_input(const std::string& name);

// Handlers, by file.
Answer session_create(Call&);  // automation_session.cpp
Answer session_get(Call&);
Answer session_delete(Call&);
Answer vm_list(Call&);  // automation_vm.cpp
Answer vm_get(Call&);
Answer vm_delete(Call&);
Answer power_get(Call&);  // automation_power.cpp
Answer power_start(Call&);
Answer power_stop(Call&);
Answer power_suspend(Call&);
Answer power_reset(Call&);
Answer guest_power_get(Call&);  // automation_guest.cpp
Answer guest_shutdown(Call&);
Answer guest_reboot(Call&);
Answer guest_standby(Call&);
Answer guest_identity(Call&);
Answer tools_get(Call&);
Answer hardware_get(Call&);  // automation_hardware.cpp
Answer cpu_get(Call&);
Answer cpu_update(Call&);
Answer memory_get(Call&);
Answer memory_update(Call&);
Answer host_list(Call&);  // automation_lists.cpp
Answer datastore_list(Call&);
Answer datastore_get(Call&);
Answer network_list(Call&);
Answer datacenter_list(Call&);
Answer datacenter_get(Call&);
Answer cluster_list(Call&);
Answer cluster_get(Call&);
Answer folder_list(Call&);
Answer pool_list(Call&);
Answer pool_get(Call&);
Answer system_hello(Call&);  // automation_system.cpp
Answer appliance_version(Call&);
Answer appliance_health(Call&);
Answer appliance_uptime(Call&);
Answer task_get(Call&);
Answer task_list(Call&);
Answer task_cancel(Call&);
Answer category_list(Call&);  // automation_tagging.cpp
Answer category_get(Call&);
Answer category_create(Call&);
Answer tag_list(Call&);
Answer tag_get(Call&);
Answer tag_create(Call&);
Answer tags_of_category(Call&);
Answer tag_attach(Call&);
Answer tag_detach(Call&);
Answer objects_of_tags(Call&);

// Shared by the handlers. `found` is null when `refusal` holds the answer to give.
struct FoundVm {
  Vm* vm = nullptr;
  Answer refusal;
};
// Resolves ids[0] for an account that needs `privilege` on it; templates are not VMs to this API.
FoundVm resolve_vm(Call& call, std::string_view privilege, bool templates_too = false);
Answer wait_for(Started started);
Json cpu_json(const Vm& vm);
Json memory_json(const Vm& vm);
Json hardware_json(const Vm& vm);
// Releases that this vCenter understands, newest first, for hello and for VI/JSON.
std::vector<std::string> served_releases(const std::string& own);

}  // namespace vmcp::simulator
