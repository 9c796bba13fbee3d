// What a virtual machine has now, what it shall have, and whether that may be changed in its state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include "common/json.h"

namespace vmcp::plugins::resource {

struct Hardware {
  std::int64_t cpu_count = 0, cores_per_socket = 0, memory_mib = 0;

  json to_json() const;
};

struct Current {
  reply source;  // failed: nothing else is known
  std::string power_state;
  Hardware hardware;
  bool cpu_hot_add = false, cpu_hot_remove = false, memory_hot_add = false;
  std::int64_t memory_increment_mib = 0, memory_limit_mib = 0;  // 0 = not told
};

// Three reads: power state, CPU, memory.
Current read_current(const call& c, const std::string& vm);

// What the arguments ask for; or, in `refusal`, why they make no sense by themselves.
struct Wanted {
  std::optional<std::int64_t> cpu_count, cores_per_socket, memory_mib;
  std::string refusal;
};
Wanted read_wanted(const args& a);

// The two requests that lead from `current` to `wanted`; empty objects where nothing differs.
struct Plan {
  Hardware after;
  json cpu_patch = json::object(), memory_patch = json::object();
  status refused_as = status::ok;
  std::string refusal;  // names the rule and the way out

  bool empty() const { return cpu_patch.empty() && memory_patch.empty(); }
};
Plan make_plan(const Current& current, const Wanted& wanted);

}  // namespace vmcp::plugins::resource
