#include "simulator/vim.h"

#include <algorithm>

#include "simulator/automation.h"
#include "simulator/vim_nodes.h"
#include "simulator/vim_service.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostVimBody = 16u << 20;
constexpr const char* kOldestVimJson = "8.0.1.0";

Failure invalid_request(std::string message) {
  return simple_failure("InvalidRequest", std::move(message));
}

// vCenter takes a nested object without _typeName for a reference and refuses it. Top level: the parameters.
bool nested_are_typed(const Json& value, bool top) {
  if (value.is_object()) {
    if (!top && !(value.contains("_typeName") && value["_typeName"].is_string())) return false;
    return std::all_of(value.begin(), value.end(),
                       [](const Json& item) { return nested_are_typed(item, false); });
  }
  if (value.is_array()) {
    return std::all_of(value.begin(), value.end(),
                       [](const Json& item) { return nested_are_typed(item, false); });
  }
  return true;
}

bool is_reference(const Json& value) {
  return value.is_object() && value.value("_typeName", "") == "ManagedObjectReference" &&
         value.contains("type") && value["type"].is_string() && value.contains("value") &&
         value["value"].is_string();
}

bool all_of(const Json& value, bool (*check)(const Json&)) {
  return value.is_array() && std::all_of(value.begin(), value.end(), check);
}

bool has_type(const Json& value, char type) {
  switch (type) {
    case 's':
      return value.is_string();
    case 'b':
      return value.is_boolean();
    case 'i':
      return value.is_number_integer();
    case 'r':
      return is_reference(value);
    case 'o':
      return value.is_object();
    case 'R':
      return all_of(value, is_reference);
    case 'S':
      return all_of(value, [](const Json& item) { return item.is_string(); });
    case 'O':
      return all_of(value, [](const Json& item) { return item.is_object(); });
    default:
      return false;
  }
}

std::optional<Failure> check_parameters(const Method& method, const Json& body) {
  for (std::size_t i = 0; i < method.parameter_count; ++i) {
    const Parameter& parameter = method.parameters[i];
    const auto it = body.find(parameter.name);
    if (it == body.end() || it->is_null()) {
      if (parameter.optional) continue;
      return invalid_argument(parameter.name,
                              std::string("A required parameter is missing: ") + parameter.name);
    }
    if (!has_type(*it, parameter.type)) {
      return invalid_argument(parameter.name,
                              std::string("A parameter has the wrong type: ") + parameter.name);
    }
  }
  for (const auto& [key, value] : body.items()) {
    const bool known =
        std::any_of(method.parameters, method.parameters + method.parameter_count,
                    [&key = key](const Parameter& parameter) { return key == parameter.name; });
    if (!known && key != "_typeName") return invalid_argument(key, "There is no such parameter: " + key);
  }
  return std::nullopt;
}

std::optional<Failure> read_body(VimCall& call) {
  if (call.http.body.empty()) return std::nullopt;
  Result<Json> parsed = parse_trusted_json(call.http.body, kMostVimBody);
  if (!parsed || !parsed->is_object()) return invalid_request("The body is not a JSON object.");
  if (!nested_are_typed(*parsed, true)) {
    return invalid_request("Invalid MoRef field: a nested object must start with its _typeName.");
  }
  call.body = std::move(*parsed);
  return std::nullopt;
}

VimAnswer call_method(VimCall& call) {
  const Method* method = call.target != nullptr ? find_method(call.target->kind, call.member)
                                                : find_manager_method(call.type, call.id, call.member);
  if (method == nullptr) return {404, {}, {}};
  const std::string privilege = method->privilege;
  if (call.session == nullptr && privilege != "System.Anonymous") {
    return VimAnswer::fault(
        not_authenticated(call.type, call.id, privilege.empty() ? "System.View" : privilege));
  }
  if (auto failure = read_body(call)) return VimAnswer::fault(*failure);
  if (auto failure = check_parameters(*method, call.body)) return VimAnswer::fault(*failure);
  if (!privilege.empty() && privilege != "System.Anonymous") {
    const Entity& on = call.target != nullptr ? *call.target : call.world.model.root();
    if (!allowed(call.user(), on, privilege)) return VimAnswer::fault(no_permission(on, privilege));
  }
  return method->handler(call);
}

VimAnswer read_manager_property(VimCall& call) {
  if (call.type == "SessionManager" && call.id == kSessionManager && call.member == "currentSession") {
    return call.session == nullptr ? VimAnswer::nothing() : VimAnswer::of(user_session(*call.session));
  }
  if (call.type == "TaskManager" && call.id == kTaskManager && call.member == "recentTask") {
    if (call.session == nullptr)
      return VimAnswer::fault(not_authenticated(call.type, call.id, "System.View"));
    Json list = Json::array();
    for (const std::string& id : call.world.tasks.recent()) list.push_back(moref("Task", id));
    return VimAnswer::of(list);
  }
  return {404, {}, {}};
}

VimAnswer read_property(VimCall& call) {
  if (call.target == nullptr) return read_manager_property(call);
  // Only an object's own properties have a URL; what is inside them has not.
  const Path path =
      call.member.find('.') == std::string::npos ? find_path(call.target->kind, call.member) : Path();
  if (path.empty()) return {404, {}, {}};
  const bool anonymous = call.target->kind == Kind::service && call.member == "content";
  const std::string privilege = path.front()->view_only ? "System.View" : "System.Read";
  if (!anonymous && call.session == nullptr)
    return VimAnswer::fault(not_authenticated(call.type, call.id, privilege));
  if (!anonymous && !allowed(call.user(), *call.target, privilege)) {
    return VimAnswer::fault(no_permission(*call.target, privilege));
  }
  VimAnswer answer;
  if (!write_value(answer.body, path, {*call.target, call.world})) return VimAnswer::nothing();
  return answer;
}

bool is_manager(const std::string& type) {
  return type == "SessionManager" || type == "ViewManager" || type == "PropertyCollector" ||
         type == "AuthorizationManager" || type == "TaskManager";
}

// False: the object is not there, or not for this account; `failure` says so.
bool find_target(VimCall& call, Failure& failure) {
  if (is_manager(call.type)) return true;
  if (call.type == "ContainerView") {
    const auto it = call.world.views.find(call.id);
    const bool mine = it != call.world.views.end() && call.session != nullptr &&
                      it->second->session_key == call.session->key;
    if (mine) call.target = it->second.get();
  } else {
    Entity* found = call.world.model.find(call.id);
    if (found != nullptr && is_a(found->kind, call.type)) call.target = found;
    const bool visible = call.target == nullptr || call.session == nullptr ||
                         allowed(call.user(), *call.target, "System.View");
    if (!visible) call.target = nullptr;
  }
  if (call.target != nullptr) return true;
  // Who is not logged in learns nothing about what exists.
  failure = call.session == nullptr ? not_authenticated(call.type, call.id, "System.View")
                                    : object_not_found(call.type, call.id);
  return false;
}

}  // namespace

Failure not_authenticated(std::string_view type, std::string_view id, std::string_view privilege) {
  return {"NotAuthenticated",
          "The session is not authenticated.",
          {{"object", moref(type, id)}, {"privilegeId", privilege}}};
}

std::string reference_id(const Json& reference) {
  return reference.value("value", "");
}

std::optional<Failure> check_reference(const VimCall& call, const Json& reference,
                                       std::string_view base_type) {
  const std::string id = reference_id(reference);
  const std::string type = reference.value("type", "");
  const Entity* entity = call.world.model.find(id);
  const bool fits = entity != nullptr && is_a(entity->kind, type) && is_a(entity->kind, base_type);
  if (!fits || !allowed(call.user(), *entity, "System.View")) return object_not_found(type, id);
  return std::nullopt;
}

VimAnswer task_answer(const Started& started) {
  if (started.refused) return VimAnswer::fault(*started.refused);
  return VimAnswer::of(moref("Task", started.task->id));
}

VimResult handle_vim(World& world, const Request& request) {
  VimResult out;
  const std::vector<std::string> path = split_path(request.path);
  const std::vector<std::string> served = served_releases(world.settings.release);
  const bool known_release = path.size() == 6 && world.settings.release >= kOldestVimJson &&
                             std::find(served.begin(), served.end(), path[2]) != served.end();
  if (!known_release || (request.method != "GET" && request.method != "POST")) {
    out.reply.status = 404;
    return out;
  }
  VimCall call{world, request, path[3], path[4], path[5], nullptr, Json::object(), nullptr};
  const bool post = request.method == "POST";
  out.operation = (post ? "" : "GET ") + call.type + "." + call.member;
  call.session = world.sessions.touch(request.header("vmware-api-session-id"), Api::vim, world.now);
  if (call.session != nullptr) out.user = call.user().name;
  Failure failure;
  VimAnswer answer;
  if (!find_target(call, failure)) {
    answer = VimAnswer::fault(failure);
  } else {
    answer = post ? call_method(call) : read_property(call);
  }
  out.reply.status = answer.status;
  out.reply.headers = std::move(answer.headers);
  out.reply.body = std::move(answer.body);
  if (!out.reply.body.empty()) out.reply.headers.emplace_back("Content-Type", "application/json");
  return out;
}

}  // namespace vmcp::simulator
