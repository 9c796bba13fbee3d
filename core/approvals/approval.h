// One call that waits for a second person: who wants to do what to which objects, and what was said of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace vmcp::approvals {

enum class State { waiting, approved, denied };

struct Approval {
  std::string id;  // 10 hex digits
  State state = State::waiting;
  std::string identity;  // who asks
  std::string role;
  std::string tool;
  std::string arguments;             // as JSON text, masked: for the one who decides
  std::vector<std::string> targets;  // "vm 'web-1' (vm-12) in vc.example", for the one who decides
  std::string preview;               // JSON text, masked; empty: there is none
  std::string rule;                  // that asks for it
  std::string binding;               // what it is good for: only the call with the very same one may use it
  WallTime asked{};
  WallTime expires{};
  std::string by;      // who decided; empty while it waits
  std::string reason;  // theirs
  std::optional<WallTime> decided;
};

const char* state_name(State state);

// For people and for the file; the binding only in the file.
Json approval_json(const Approval& approval, bool with_binding);
std::optional<Approval> read_approval(const Json& json);

}  // namespace vmcp::approvals
