// One lock: what it is on, why, until when, and whether it hits somebody.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/principal.h"
#include "base/result.h"
#include "inventory/object.h"

namespace vmcp::locks {

enum class Scope { identity, role, tool, target, everything };

const char* scope_name(Scope scope);
std::optional<Scope> scope_of(std::string_view name);

struct Lock {
  std::string id;  // 8 hex digits
  Scope scope = Scope::everything;
  std::string value;   // what of it; empty for everything
  std::string reason;  // shown to whoever is stopped
  std::string by;      // who set it
  WallTime at{};
  std::optional<WallTime> expires = {};
  bool lasting = true;  // false: it could not be written down, and is gone when this process ends
};

// Whether it can be meant: a value where one is needed, a reason, nothing too long or unprintable. The error
// names the fix.
Result<void> check_lock(const Lock& lock);

// {"id","scope","value","reason","by","at"}, "expires" when it ends by itself, "lasting": false when it is
// not on the disk; times as ISO 8601.
Json lock_json(const Lock& lock);
std::optional<Lock> read_lock(const Json& json);

// An object as locks name it. `path` may be empty.
struct Place {
  std::string key;   // "vc.example:vm:vm-12"
  std::string path;  // "/north/vm/prod/ledger-db"
  std::string name;  // for people
};
Place place_of(const inventory::Object& object);

bool hits(const Lock& lock, const Principal& caller);  // identity, role, everything
bool hits_tool(const Lock& lock, std::string_view name);
bool hits(const Lock& lock, const Place& place);

// The refusal: Code::denied, rule "lock ID", with the reason and who can lift it. `what` is stopped.
Error refusal_of(const Lock& lock, std::string_view what);

}  // namespace vmcp::locks
