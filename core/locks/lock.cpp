#include "locks/lock.h"

#include <algorithm>
#include <array>

#include "base/glob.h"

namespace vmcp::locks {
namespace {

constexpr std::size_t kMaxValue = 512, kMaxReason = 500, kMaxBy = 256;
constexpr std::array<const char*, 5> kScopes = {"identity", "role", "tool", "target", "everything"};

bool printable(std::string_view text, std::size_t most) {
  return text.size() <= most && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

// An id is part of a path and of a command line.
bool is_id(std::string_view id) {
  return id.size() == 8 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool below(std::string_view folder, std::string_view path) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.remove_suffix(1);
  if (folder == "/") return !path.empty();
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

const char* scope_name(Scope scope) {
  return kScopes.at(static_cast<std::size_t>(scope));
}

std::optional<Scope> scope_of(std::string_view name) {
  for (std::size_t i = 0; i < kScopes.size(); ++i)
    if (name == kScopes[i]) return static_cast<Scope>(i);
  return std::nullopt;
}

Result<void> check_lock(const Lock& lock) {
  const auto bad = [](std::string text) { return make_error(Code::invalid_argument, std::move(text)); };
  if (lock.scope == Scope::everything && !lock.value.empty())
    return bad("A lock on everything has no value; name a scope, or leave the value out.");
  if (lock.scope != Scope::everything && lock.value.empty())
    return bad(std::string("A lock on a") + (lock.scope == Scope::identity ? "n " : " ") +
               scope_name(lock.scope) + " needs a value: which one?");
  if (!printable(lock.value, kMaxValue))
    return bad("The value has control characters or more than 512 bytes.");
  const bool place =
      lock.value.starts_with('/') || std::count(lock.value.begin(), lock.value.end(), ':') >= 2;
  if (lock.scope == Scope::target && !place)
    return bad(
        "A target is VCENTER:KIND:MOREF, for instance vc.example:vm:vm-12, or an inventory path that "
        "begins with '/'.");
  if (lock.reason.empty() || !printable(lock.reason, kMaxReason))
    return bad("Give a reason of at most 500 bytes in one line; whoever is stopped is shown it.");
  if (!printable(lock.by, kMaxBy)) return bad("The name of who sets the lock is too long.");
  return {};
}

Json lock_json(const Lock& lock) {
  Json out{{"id", lock.id}, {"scope", scope_name(lock.scope)}, {"value", lock.value}, {"reason", lock.reason},
           {"by", lock.by}, {"at", iso8601(lock.at)}};
  if (lock.expires) out["expires"] = iso8601(*lock.expires);
  if (!lock.lasting) out["lasting"] = false;
  return out;
}

std::optional<Lock> read_lock(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  const auto text = [&](const char* key) -> std::optional<std::string> {
    const auto it = json.find(key);
    if (it == json.end() || !it->is_string()) return std::nullopt;
    return it->get<std::string>();
  };
  const auto id = text("id"), scope = text("scope"), value = text("value"), reason = text("reason"),
             by = text("by"), at = text("at");
  if (!id || !scope || !value || !reason || !by || !at || !is_id(*id)) return std::nullopt;
  const auto kind = scope_of(*scope);
  const auto since = parse_iso8601(*at);
  if (!kind || !since) return std::nullopt;
  Lock out{*id, *kind, *value, *reason, *by, *since, std::nullopt};
  if (json.contains("expires")) {
    const auto until = text("expires");
    out.expires = until ? parse_iso8601(*until) : std::nullopt;
    if (!out.expires) return std::nullopt;
  }
  if (!check_lock(out)) return std::nullopt;
  return out;
}

Place place_of(const inventory::Object& object) {
  return {object.vcenter + ":" + object.kind + ":" + object.id, object.path,
          object.kind + " '" + object.name + "' (" + object.id + ")"};
}

bool hits(const Lock& lock, const Principal& caller) {
  switch (lock.scope) {
    case Scope::everything:
      return true;
    case Scope::identity:
      return glob_match(lock.value, caller.identity);
    case Scope::role:
      return glob_match(lock.value, caller.role);
    case Scope::tool:
    case Scope::target:
      break;
  }
  return false;
}

bool hits_tool(const Lock& lock, std::string_view name) {
  return lock.scope == Scope::tool && glob_match(lock.value, name);
}

bool hits(const Lock& lock, const Place& place) {
  if (lock.scope != Scope::target) return false;
  if (lock.value.starts_with('/')) return below(lock.value, place.path);
  return glob_match(lock.value, place.key);
}

Error refusal_of(const Lock& lock, std::string_view what) {
  std::string text(what);
  text += " is locked by the operator of this server (" + lock.by + ", since " + iso8601(lock.at) +
          (lock.expires ? ", until " + iso8601(*lock.expires) : std::string()) + "): " + lock.reason;
  if (!text.ends_with('.') && !text.ends_with('!') && !text.ends_with('?')) text += '.';
  text += " Do not repeat the call; the operator can lift lock " + lock.id + ".";
  Error error = make_error(Code::denied, std::move(text));
  error.rule = "lock " + lock.id;
  return error;
}

}  // namespace vmcp::locks
