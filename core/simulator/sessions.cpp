#include "simulator/sessions.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/glob.h"
#include "simulator/message.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostSessions = 2000;  // vpxd's own limit

std::string spell_uuid(const std::string& hex) {
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20, 12);
}

bool in_scope(const User& user, const Entity& entity) {
  if (user.scope.empty()) return true;
  for (const Entity* at = &entity; at != nullptr; at = at->parent) {
    for (const std::string& name : user.scope) {
      if (at->id == name || at->name == name) return true;
    }
  }
  return false;
}

}  // namespace

std::string User::domain_name() const {
  const auto at = name.find('@');
  if (at == std::string::npos) return name;
  std::string domain = name.substr(at + 1);
  std::transform(domain.begin(), domain.end(), domain.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return domain + "\\" + name.substr(0, at);
}

Sessions::Sessions(std::vector<User> users, milliseconds idle, bool shared)
    : users_(std::move(users)), idle_(idle), shared_(shared) {}

const User* Sessions::user(std::string_view name) const {
  for (const User& candidate : users_) {
    if (equals_ignoring_case(candidate.name, name) || equals_ignoring_case(candidate.domain_name(), name)) {
      return &candidate;
    }
  }
  return nullptr;
}

Sessions::Login Sessions::login(std::string_view name, std::string_view password, Api api, Millis now) {
  const User* found = user(name);
  if (found == nullptr || !equal_constant_time(found->password.reveal(), password)) {
    return {nullptr, LoginError::wrong_password};
  }
  remove_idle(now);
  if (sessions_.size() >= kMostSessions) return {nullptr, LoginError::too_many};
  auto session = std::make_unique<Session>();
  session->secret = random_id();
  session->key = spell_uuid(random_id());
  session->api = api;
  session->user = found;
  session->created = session->last_access = now;
  Session* raw = session.get();
  sessions_.emplace(raw->secret, std::move(session));
  return {raw, {}};
}

Session* Sessions::touch(std::string_view secret, Api api, Millis now) {
  const auto it = sessions_.find(std::string(secret));
  if (it == sessions_.end()) return nullptr;
  Session& session = *it->second;
  if (session.last_access + idle_.count() < now) {
    ended_.push_back(session.key);
    sessions_.erase(it);
    return nullptr;
  }
  if (!shared_ && session.api != api) return nullptr;
  session.last_access = now;
  ++session.calls;
  return &session;
}

void Sessions::logout(const Session& session) {
  ended_.push_back(session.key);
  sessions_.erase(std::string(session.secret));
}

std::size_t Sessions::expire_all() {
  const std::size_t count = sessions_.size();
  for (const auto& [secret, session] : sessions_) ended_.push_back(session->key);
  sessions_.clear();
  return count;
}

std::size_t Sessions::remove_idle(Millis now) {
  std::size_t count = 0;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (it->second->last_access + idle_.count() < now) {
      ended_.push_back(it->second->key);
      it = sessions_.erase(it);
      ++count;
    } else {
      ++it;
    }
  }
  return count;
}

std::vector<const Session*> Sessions::list() const {
  std::vector<const Session*> out;
  for (const auto& [secret, session] : sessions_) out.push_back(session.get());
  std::sort(out.begin(), out.end(), [](const Session* a, const Session* b) { return a->key < b->key; });
  return out;
}

std::vector<std::string> Sessions::take_ended() {
  return std::exchange(ended_, {});
}

bool holds(const User& user, std::string_view privilege) {
  if (privilege == "System.Anonymous") return true;
  return std::any_of(user.privileges.begin(), user.privileges.end(),
                     [&](const std::string& glob) { return glob_match(glob, privilege); });
}

bool allowed(const User& user, const Entity& entity, std::string_view privilege) {
  if (!holds(user, privilege)) return false;
  if (entity.kind == Kind::service || entity.kind == Kind::task || entity.kind == Kind::view) return true;
  if (entity.kind == Kind::snapshot) return in_scope(user, *static_cast<const Snapshot&>(entity).vm);
  if (entity.parent == nullptr && privilege == "System.View") return true;
  return in_scope(user, entity);
}

}  // namespace vmcp::simulator
