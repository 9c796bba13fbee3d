/* vmcp/tools.h: the tools that a plugin offers. Plugin side, id "vmcp.tools/1". */
#ifndef VMCP_TOOLS_H
#define VMCP_TOOLS_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_TOOLS "vmcp.tools/1"

/* What a tool does to the world. The host derives refusal, confirmation, audit and the MCP hints from it. */
enum {
  VMCP_EFFECT_READ = 0,   /* changes nothing; changing requests are refused */
  VMCP_EFFECT_CHANGE = 1, /* changes something that can be changed back */
  VMCP_EFFECT_DESTROY = 2 /* loses data or service */
};

enum {
  VMCP_TOOL_IDEMPOTENT = 1u << 0,    /* repeating it changes nothing more (MCP idempotentHint) */
  VMCP_TOOL_OPEN_WORLD = 1u << 1,    /* reaches beyond the vCenter (MCP openWorldHint) */
  VMCP_TOOL_NO_UPSTREAM = 1u << 2,   /* asks nothing of a vCenter: runs inline on the worker that read it */
  VMCP_TOOL_NEEDS_CONFIRM = 1u << 3, /* runs only with confirm=true (or what policy puts in its place) */
  /* How the host may run it for a client that knows MCP tasks: it answers at once with a task and runs the
   * tool behind it; questions that the tool asks wait in the task. The tool itself sees no difference. */
  VMCP_TOOL_TASK_OPTIONAL = 1u << 4, /* as a task when the client can, else while the client waits */
  VMCP_TOOL_TASK_REQUIRED = 1u << 5, /* only as a task: other clients are refused before it runs */
  /* With one of these two: the first round runs while the client waits, so that what it asks is asked before
   * there is a task; the rounds after it are the task's. */
  VMCP_TOOL_TASK_ASKS_FIRST = 1u << 6
};

/* Copied and frozen when the plugin is loaded.
 * Schemas are JSON Schema 2020-12, root "type":"object". The host adds and strips the arguments `hostname`,
 * `verbose`, and for changing tools `confirm`, `dry_run`, `reason`; declaring one of them refuses the load.
 * A property with "x-vmcp-kind": "vm" (host, datastore, network, datacenter, cluster, folder, snapshot) names
 * an object: the caller writes a MoRef, an exact name or an inventory path, the plugin receives the MoRef.
 * "x-vmcp-within": "/vm_id" makes it a part of that object; "x-vmcp-use": "target" (default) or "filter". */
typedef struct vmcp_tool {
  uint32_t size;
  uint32_t effect;       /* VMCP_EFFECT_… */
  uint32_t flags;        /* VMCP_TOOL_… */
  uint32_t cost;         /* tokens that a call takes from a rate bucket; 0 = 1 */
  uint32_t max_parallel; /* calls at once; 0 = the host's default */
  uint32_t time_hint_ms; /* how long a call usually takes at most; 0 = unknown */
  const char* name;      /* 1–64 of [A-Za-z0-9_.-] */
  const char* title;
  const char* description;   /* non-empty: models choose by it */
  const char* input_schema;  /* JSON text */
  const char* output_schema; /* JSON text, or null: no structured answer promised */
  const char* privileges;    /* vSphere privileges, comma-separated, e.g. "VirtualMachine.Interact.PowerOn" */
  /* What the client must be able to do, comma-separated names of vmcp_call_1.client_can ("sampling"), or
   * null: a call of a client that lacks one is refused before it runs. */
  const char* client_needs;
  const char* view; /* a ui:// resource of this plugin that shows the structured answer, or null */
} vmcp_tool;

typedef struct vmcp_tools_1 {
  uint32_t size, zero;
  /* How many tools; constant for the plugin's life.
   * [any] */
  uint32_t (*count)(const vmcp_plugin* plugin);
  /* The declaration of tool `index`, or null beyond the end. Lives as long as the plugin.
   * [any] */
  const vmcp_tool* (*at)(const vmcp_plugin* plugin, uint32_t index);
  /* Runs one round of a call. `args_json` is valid against the input schema, without the host's arguments.
   * Returns VMCP_OK after set_json/add_text, VMCP_SUSPENDED after need_input/await_task, or a negative
   * status, best after fail(). The deadline is absolute; poll cancelled(). [worker] up to max_parallel at
   * once */
  vmcp_status (*run)(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json);
} vmcp_tools_1;

#ifdef __cplusplus
}
#endif
#endif
