// The table of every vCenter operation that the host knows, generated from the official documents
// (operations.gen.cpp, made by core/vcenter/facts/generate.py). Unlisted means refused.
#pragma once

#include <cstddef>
#include <string_view>

namespace vmcp::vcenter {

enum class Effect {
  read,     // changes nothing in vCenter
  change,   // changes something
  session,  // login, logout, tickets, tokens: never reachable for a plugin
};

struct Operation {
  std::string_view id;  // "GET /api/vcenter/vm/{vm}" or "VirtualMachine.CreateSnapshot_Task": the type that
                        // declares the member, so "ManagedEntity.Destroy_Task" for a VM
  Effect effect;
  std::string_view privileges;  // comma-separated; empty when the documents name none
  std::string_view object;  // automation: the path parameter that is the object acted on ("vm"); vim: empty
  bool list;  // reads that answer for many objects or for the whole vCenter (vim: members of managers,
              // not of entities); refused for callers limited to some targets
};

// `path` is concrete and in the /api dialect, with its query: "/api/vcenter/vm/vm-3301/power?action=start".
// Only an "action" and "vmw-task" in the query choose between operations; other parameters are free on GET
// and must be documented elsewhere. Null when unlisted. Strict, because what is decided here must be what
// vCenter does: case-sensitive; empty, "." and ".." segments (also encoded), bad escapes, fragments, raw
// bytes outside RFC 3986, repeated or disguised choosing parameters are all unlisted. No allocation; [any
// thread].
const Operation* find_automation(std::string_view method, std::string_view path);

// The value of the path parameter that `op.object` names; both empty if it names none or `path` is not of
// `op`. `path` as above.
struct PathObject {
  std::string_view parameter;  // "vm"
  std::string_view value;      // still percent-encoded
};
PathObject path_object(const Operation& op, std::string_view path);

// A method ("CreateSnapshot_Task") or property ("snapshot", first segment of a path) of a managed type,
// inherited ones included. Null when unlisted.
const Operation* find_vim_method(std::string_view type, std::string_view method);
const Operation* find_vim_property(std::string_view type, std::string_view property);

std::size_t operation_count();

}  // namespace vmcp::vcenter
