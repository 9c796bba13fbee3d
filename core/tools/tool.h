// A tool as the host registered it: the plugin's frozen declaration plus what the host made of it at load.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcp::plugin_host {
class Plugin;
}

namespace vmcp::tools {

enum class Effect { read, change, destroy };

// An argument that names an object ("x-vmcp-kind").
struct ObjectArgument {
  std::string pointer;  // "/vm_id"; of an array of objects: "/hosts/*"
  std::string kind;     // "vm", "snapshot", …
  std::string within;   // "/vm_id" when it is a part of that object; else empty
  bool filter = false;  // "x-vmcp-use": "filter": narrows a list, is no target
};

class Schema;  // a compiled JSON Schema (schema.h)

struct Tool {
  std::string name;
  std::string title;
  std::string description;
  Effect effect = Effect::read;
  bool idempotent = false, open_world = false, no_upstream = false, needs_confirm = false;
  double cost = 1;
  std::size_t max_parallel = 0;  // 0 = host's default
  std::int64_t time_hint_ms = 0;
  std::vector<std::string> privileges;
  // When a client that knows MCP tasks gets one.
  enum class Task { never, optional, required } task = Task::never;
  bool asks_first = false;                // the first round runs while the client waits
  std::vector<std::string> client_needs;  // what the client must be able to do; names as in invocation.h
  std::string view;                       // ui:// resource that shows the structured answer; may be empty

  std::shared_ptr<plugin_host::Plugin> plugin;
  std::uint32_t index = 0;     // within the plugin
  bool apart = false;          // in a process of its own, which a worker has to wait for
  std::string plugin_label;    // "org.vmcp.vm 0.1.0", for messages
  std::string plugin_members;  // plugin_host::audit_members(), for the audit

  std::vector<ObjectArgument> objects;
  Json defaults = Json::object();  // of arguments, as the input schema declares them: what rules judge when
                                   // a caller leaves one out
  std::shared_ptr<const Schema> input;   // with the host's arguments
  std::shared_ptr<const Schema> output;  // null: no structured answer promised

  // The tool's entry in tools/list, rendered once at load, one JSON object per dialect of the protocol:
  std::string listed_modern;   // 2026-07-28 and 2025-11-25 and 2025-06-18 (title, annotations, outputSchema)
  std::string listed_2025_03;  // 2025-03-26: name, description, inputSchema, annotations only

  std::atomic<int> stuck{0};  // calls that overran and have not come back; too many close the tool

  bool changes() const { return effect != Effect::read; }
};

using ToolPtr = std::shared_ptr<Tool>;

}  // namespace vmcp::tools
