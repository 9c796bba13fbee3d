// One call as the plugin host carries it: what the plugin may use, what it produced, and what it was caught
// at. Behind the opaque vmcp_call. Made by the pipeline, used by one worker at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "inventory/inventory.h"
#include "vcenter/connection.h"

namespace vmcp::plugin_host {

struct Manifest;

enum class Allowed { read, change };
// What the call is for; set by Plugin. Decides what its blocks may look like.
enum class Produces { tool, resource, prompt, completion };

struct Target {
  std::string pointer;  // "/vm_id" or "/vms/3"
  inventory::Object object;
  bool filter = false;  // narrows a list: may be read about, not changed
};

struct OutputLimits {
  std::size_t max_text_bytes = 1u << 20;  // all text blocks together
  std::size_t max_json_bytes = 4u << 20;  // the structured answer; also all blocks together
  std::size_t max_blocks = 1'000;
  std::size_t max_upstream_calls = 2'000;  // requests of one tool call
};

struct Invocation {
  // What the call may use. `connection` null: a tool without upstream, or a child process, where the
  // connection is the host's and only its name is here.
  vcenter::Connection* connection = nullptr;
  std::string remote_vcenter = {};
  inventory::Inventory* inventory = nullptr;
  inventory::Visible visible;
  bool limited_view = false;
  Allowed allowed = Allowed::read;
  // What the plugin declared that it will use; null: no plugin, so nothing is held back. Set by Plugin.
  const Manifest* declared = nullptr;
  std::vector<Target> targets;
  CallLimits limits;
  bool verbose = false;
  OutputLimits output;
  std::function<void(const std::string& task)> on_accepted;  // a changing request left a vCenter task

  // What the client can be asked and shown; the names are MCP's: "sampling", "sampling.tools",
  // "elicitation.form", "elicitation.url", "roots", "tasks". Empty: nothing.
  std::set<std::string, std::less<>> client_can;
  std::string traceparent;  // W3C, may be empty
  // Null: nobody listens, and nothing is said. Called on the worker.
  std::function<void(double done, double total, std::string_view note)> on_progress;
  // `level` is one of MCP's eight names, `data_json` any JSON value.
  std::function<void(std::string_view level, std::string_view logger, std::string_view data_json)> on_log;
  // The client is better served by coming back later; null where there is no stream to end.
  std::function<void()> on_close_stream;

  // Rounds.
  Produces produces = Produces::tool;
  std::uint32_t round = 0;
  std::string state, next_state;
  std::map<std::string, std::string> inputs;
  std::string awaited_task;
  std::map<std::string, std::string> requests;  // need_input(): key → MCP input request, as JSON text

  // What the plugin produced.
  std::vector<std::string> texts;
  std::size_t text_bytes = 0;
  // In their order: content blocks of a tool, contents of a resource, messages of a prompt; each a JSON
  // object.
  std::vector<std::string> blocks;
  std::size_t block_bytes = 0;
  std::string structured;
  std::optional<Error> failure;

  // Kept for the host.
  std::optional<double> progress;  // the last that was told; the next must be more
  std::string last_error;
  std::string client_lacks;  // name of what need_input() found missing in client_can last
  Code last_code = Code::internal;
  std::set<std::string, std::less<>> created;  // MoRefs made by this call
  std::string violation;                       // the plugin asked for what it may not do; names the request
  bool sent_change = false;                    // a changing request left
  bool maybe_happened = false;                 // … and its answer did not come
  std::size_t upstream_calls = 0;

  // Of the vCenter that the call is for; empty without one.
  std::string_view vcenter() const {
    return connection != nullptr ? std::string_view(connection->name()) : std::string_view(remote_vcenter);
  }
};

}  // namespace vmcp::plugin_host

// What the SDK's opaque type is, on this side.
struct vmcp_call {
  vmcp::plugin_host::Invocation* invocation;
};
