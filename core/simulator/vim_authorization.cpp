// AuthorizationManager: which privileges an account has, asked by session or by name.
#include "simulator/vim.h"

namespace vmcp::simulator {
namespace {

Json granted(const User& user, const Entity& entity, const Json& privileges) {
  Json list = Json::array();
  for (const Json& privilege : privileges) {
    const auto& id = privilege.get_ref<const std::string&>();
    list.push_back(
        {{"_typeName", "PrivilegeAvailability"}, {"privId", id}, {"isGranted", allowed(user, entity, id)}});
  }
  return list;
}

VimAnswer availability(VimCall& call, const User& user, const char* parameter) {
  const Json privileges = call.body.value("privId", Json::array());
  Json out = Json::array();
  for (const Json& reference : call.body[parameter]) {
    if (auto failure = check_reference(call, reference, "ManagedEntity")) return VimAnswer::fault(*failure);
    const Entity& entity = *call.world.model.find(reference_id(reference));
    out.push_back({{"_typeName", "EntityPrivilege"},
                   {"entity", moref(entity)},
                   {"privAvailability", granted(user, entity, privileges)}});
  }
  return VimAnswer::of(out);
}

// Others' privileges are for administrators; everybody may ask about himself.
const User* asked_about(VimCall& call, Failure& failure) {
  const std::string name = call.body.value("userName", "");
  const User* user = call.world.sessions.user(name);
  if (user == nullptr) {
    failure = invalid_argument("userName", "There is no account of that name.");
  } else if (user != &call.user() && !holds(call.user(), "Authorization.ModifyPermissions")) {
    failure = no_permission(call.world.model.root(), "Authorization.ModifyPermissions");
    user = nullptr;
  }
  return user;
}

}  // namespace

VimAnswer vim_has_privilege_on_entities(VimCall& call) {
  const std::string key = call.body.value("sessionId", "");
  for (const Session* session : call.world.sessions.list()) {
    if (session->key == key) return availability(call, *session->user, "entity");
  }
  return VimAnswer::fault(invalid_argument("sessionId", "There is no session with that key."));
}

VimAnswer vim_has_user_privilege_on_entities(VimCall& call) {
  Failure failure;
  const User* user = asked_about(call, failure);
  return user == nullptr ? VimAnswer::fault(failure) : availability(call, *user, "entities");
}

VimAnswer vim_fetch_user_privileges(VimCall& call) {
  Failure failure;
  const User* user = asked_about(call, failure);
  if (user == nullptr) return VimAnswer::fault(failure);
  Json out = Json::array();
  for (const Json& reference : call.body["entities"]) {
    if (auto missing = check_reference(call, reference, "ManagedEntity")) return VimAnswer::fault(*missing);
    const Entity& entity = *call.world.model.find(reference_id(reference));
    Json privileges = Json::array();
    for (const std::string& privilege : known_privileges()) {
      if (allowed(*user, entity, privilege)) privileges.push_back(privilege);
    }
    out.push_back({{"_typeName", "UserPrivilegeResult"},
                   {"entity", moref(entity)},
                   {"privileges", std::move(privileges)}});
  }
  return VimAnswer::of(out);
}

}  // namespace vmcp::simulator
