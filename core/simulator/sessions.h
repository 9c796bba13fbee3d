// Who is logged in, through which API, and what an account may do. Guarded by VCenter's mutex.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/secret.h"
#include "simulator/model.h"

namespace vmcp::simulator {

struct User {
  std::string name;  // "demo@vsphere.local"
  Secret password;
  std::vector<std::string> privileges;  // globs: "*", "VirtualMachine.Interact.*"
  std::vector<std::string> scope;       // names or ids of inventory objects; empty = everything
  bool appliance_admin = false;         // in SSO group SystemConfiguration.Administrators

  // "VSPHERE.LOCAL\demo": how vim25 spells it.
  std::string domain_name() const;
};

enum class Api { automation, vim };

struct Session {
  std::string secret;  // the header's value; never recorded or logged
  std::string key;     // UserSession.key, public among the administrators
  Api api = Api::automation;
  const User* user = nullptr;
  Millis created = 0, last_access = 0;
  std::string peer, agent;
  std::int64_t calls = 0;
};

class Sessions {
 public:
  Sessions(std::vector<User> users, milliseconds idle, bool shared);

  enum class LoginError { wrong_password, too_many };
  struct Login {
    Session* session = nullptr;
    LoginError error = LoginError::wrong_password;
  };
  Login login(std::string_view user, std::string_view password, Api api, Millis now);
  // Finds a live session and counts as its activity; null when unknown, idle for too long, or made by the
  // other API while sessions are not shared.
  Session* touch(std::string_view secret, Api api, Millis now);
  void logout(const Session& session);
  std::size_t expire_all();
  std::size_t remove_idle(Millis now);

  const User* user(std::string_view name) const;  // either spelling
  std::vector<const Session*> list() const;
  // Public keys of sessions that ended since the last call: their views and cursors can go.
  std::vector<std::string> take_ended();

 private:
  const std::vector<User> users_;
  const milliseconds idle_;
  const bool shared_;
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions_;
  std::vector<std::string> ended_;
};

// Whether the account holds `privilege` on `entity`. System.View on the root of a limited scope is always
// there: a tree cannot be walked otherwise.
bool allowed(const User& user, const Entity& entity, std::string_view privilege);
bool holds(const User& user, std::string_view privilege);
// Every privilege that the simulator knows, for FetchUserPrivilegeOnEntities.
const std::vector<std::string>& known_privileges();

}  // namespace vmcp::simulator
