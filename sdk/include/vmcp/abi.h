/* vmcp/abi.h: the ground of the plugin ABI. Everything else is a table found by string id.
 *
 * TRUST. A plugin that runs in the host's process can do what the host can. No credential is handed out,
 * every vCenter request passes the host's chain, but memory is shared: operators decide what they load.
 *
 * COMPATIBILITY.
 *  1. One exported function, vmcp_entry_v1. Everything else is looked up by id and revision ("vmcp.call/1").
 *     An id never changes its meaning; what cannot be had by appending gets the next revision.
 *  2. Tables start with `size` (bytes the maker filled) and grow at the tail only. Read a foreign table by
 *     copying min(size, own size) bytes into zeroed memory; a member that ends beyond `size`, or is null,
 *     is absent.
 *  3. An unknown id gives null. Null means: do without, or fail start() with a clear message.
 *  4. Nothing crosses but C scalars, borrowed UTF-8 spans and tables: no exception, allocator, FILE, errno,
 *     std:: type or RTTI. Nobody frees the other's memory. Results are pushed into a host writer or a sink.
 *  5. Enums that flow from host to plugin never grow silently: a new value needs a new id.
 *
 * THREADS. Every function names who may call it, alone on its last comment line:
 *  [control]  one thread at a time, never while a [worker] call of the same plugin runs
 *  [worker]   many at once, on the thread that runs the call
 *  [any]      any thread, also the plugin's own
 *
 * Compiles as C11, C17, C++17, C++20 with -Wall -Wextra -pedantic.
 */
#ifndef VMCP_ABI_H
#define VMCP_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_ABI_MAJOR 1
#define VMCP_ABI_MINOR 0

/* Borrowed UTF-8 bytes, not zero-terminated. Valid until the function that received them returns,
 * unless a comment says otherwise. ptr may be null only when len is 0. */
typedef struct vmcp_str {
  const char* ptr;
  size_t len;
} vmcp_str;

/* 0 fine, >0 fine so far, <0 failed. The negative values say what the caller should do next. */
typedef int32_t vmcp_status;
enum {
  VMCP_OK = 0,
  VMCP_SUSPENDED = 1,      /* run(): asked for input or for a task; the host re-enters with the next round */
  VMCP_E_INVALID = -1,     /* change the arguments */
  VMCP_E_NOT_FOUND = -2,   /* no such object, or it may not be seen */
  VMCP_E_CONFLICT = -3,    /* the object's state forbids it: change the state first */
  VMCP_E_DENIED = -4,      /* policy or missing privilege: stop */
  VMCP_E_UNAVAILABLE = -5, /* vCenter or a service is not there: try later */
  VMCP_E_TIMEOUT = -6,     /* the deadline passed: read the state before repeating */
  VMCP_E_CANCELLED = -7,   /* the caller went away: clean up and return */
  VMCP_E_UNSUPPORTED = -8, /* this host or this vCenter cannot do it */
  VMCP_E_LIMIT = -9,       /* a size or count is over the host's bound */
  VMCP_E_FAULT = -10       /* a defect: tell the operator */
};

/* Where a function delivers bytes of any length. `put` is called zero or one time before the function
 * returns, on the same thread; the span is borrowed for the length of that call. `put` must not throw.
 * Owner of ctx: whoever passed the sink. */
typedef struct vmcp_sink {
  void* ctx;
  void (*put)(void* ctx, vmcp_str bytes);
} vmcp_sink;

typedef struct vmcp_host vmcp_host;
typedef struct vmcp_plugin vmcp_plugin;
typedef struct vmcp_call vmcp_call; /* one tool call in one round; opaque; never kept after run() returns */

/* What the host is to a plugin. Lives as long as the plugin. */
struct vmcp_host {
  uint32_t size;
  uint16_t abi_major, abi_minor;
  void* ctx; /* the host's; not for the plugin */
  /* The host's table for `iface`, or null when this host (or this plugin's grant) lacks it.
   * The table lives as long as the plugin.
   * [any] */
  const void* (*query)(const vmcp_host* host, const char* iface);
};

/* What a plugin is to the host. Made by open(), valid until close() returns. */
struct vmcp_plugin {
  uint32_t size, zero;
  void* self; /* the plugin's */
  /* The plugin's table for `iface` ("vmcp.tools/1", "vmcp.preview/1"), or null. Must answer null for
   * unknown ids, also for ids that merely begin like a known one.
   * [any] */
  const void* (*query)(const vmcp_plugin* plugin, const char* iface);
  /* Takes the plugin's configuration (a JSON object, "{}" when none). A negative status refuses the load;
   * say why through vmcp.log.
   * [control] */
  vmcp_status (*start)(const vmcp_plugin* plugin, vmcp_str config_json);
  /* No call runs any more: join own threads, drop caches. Nothing may call the host afterwards.
   * [control] */
  vmcp_status (*quiesce)(const vmcp_plugin* plugin);
  /* Frees the plugin. The library itself is never unmapped.
   * [control] */
  void (*close)(const vmcp_plugin* plugin);
};

/* The declaration that every plugin exports; static constant data. */
typedef struct vmcp_entry {
  uint32_t size;
  uint16_t abi_major, abi_minor; /* minor = the lowest that this plugin can live with */
  const char* id;                /* reverse-DNS, e.g. "org.example.hello" */
  const char* version;           /* semantic version, e.g. "1.0.0" */
  /* Makes an instance. May be called more than once. On failure returns a negative status and leaves
   * *out alone.
   * [control] */
  vmcp_status (*open)(const vmcp_host* host, const vmcp_plugin** out);
} vmcp_entry;

#define VMCP_ENTRY_SYMBOL "vmcp_entry_v1"
/* The only export. No side effects.
 * [control] */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const vmcp_entry*
vmcp_entry_v1(void);

#ifdef __cplusplus
}
#endif
#endif
