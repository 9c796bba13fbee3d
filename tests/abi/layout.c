/* The layout of every published structure, for LP64. A change here breaks plugins that are built already:
 * only new members at the end are compatible, and then this file grows by lines, it does not change. */
#include <vmcp/vmcp.h>

#if defined(__cplusplus)
#define VMCP_ASSERT(condition) static_assert(condition, #condition)
#else
#define VMCP_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define AT(type, member, offset) VMCP_ASSERT(offsetof(type, member) == (offset))
#define SIZE(type, bytes) VMCP_ASSERT(sizeof(type) == (bytes))

#if defined(__LP64__)

SIZE(vmcp_str, 16);
AT(vmcp_str, ptr, 0);
AT(vmcp_str, len, 8);

SIZE(vmcp_sink, 16);
AT(vmcp_sink, ctx, 0);
AT(vmcp_sink, put, 8);

SIZE(vmcp_host, 24);
AT(vmcp_host, size, 0);
AT(vmcp_host, abi_major, 4);
AT(vmcp_host, abi_minor, 6);
AT(vmcp_host, ctx, 8);
AT(vmcp_host, query, 16);

SIZE(vmcp_plugin, 48);
AT(vmcp_plugin, self, 8);
AT(vmcp_plugin, query, 16);
AT(vmcp_plugin, start, 24);
AT(vmcp_plugin, quiesce, 32);
AT(vmcp_plugin, close, 40);

SIZE(vmcp_entry, 32);
AT(vmcp_entry, abi_major, 4);
AT(vmcp_entry, abi_minor, 6);
AT(vmcp_entry, id, 8);
AT(vmcp_entry, version, 16);
AT(vmcp_entry, open, 24);

SIZE(vmcp_target, 88);
AT(vmcp_target, kind, 8);
AT(vmcp_target, vcenter, 24);
AT(vmcp_target, moref, 40);
AT(vmcp_target, name, 56);
AT(vmcp_target, path, 72);

SIZE(vmcp_call_0, 136);
AT(vmcp_call_0, cancelled, 8);
AT(vmcp_call_0, remaining_ms, 16);
AT(vmcp_call_0, progress, 24);
AT(vmcp_call_0, add_text, 32);
AT(vmcp_call_0, set_json, 40);
AT(vmcp_call_0, fail, 48);
AT(vmcp_call_0, round, 56);
AT(vmcp_call_0, state, 64);
AT(vmcp_call_0, set_state, 72);
AT(vmcp_call_0, need_input, 80);
AT(vmcp_call_0, await_task, 88);
AT(vmcp_call_0, input, 96);
AT(vmcp_call_0, target, 104);
AT(vmcp_call_0, vcenter, 112);
AT(vmcp_call_0, verbose, 120);
AT(vmcp_call_0, last_error, 128);

SIZE(vmcp_config_0, 16);
AT(vmcp_config_0, schema, 8);

SIZE(vmcp_inventory_0, 24);
AT(vmcp_inventory_0, list, 8);
AT(vmcp_inventory_0, get, 16);

SIZE(vmcp_log_0, 16);
AT(vmcp_log_0, write, 8);

SIZE(vmcp_preview_0, 16);
AT(vmcp_preview_0, run, 8);

SIZE(vmcp_tool, 72);
AT(vmcp_tool, effect, 4);
AT(vmcp_tool, flags, 8);
AT(vmcp_tool, cost, 12);
AT(vmcp_tool, max_parallel, 16);
AT(vmcp_tool, time_hint_ms, 20);
AT(vmcp_tool, name, 24);
AT(vmcp_tool, title, 32);
AT(vmcp_tool, description, 40);
AT(vmcp_tool, input_schema, 48);
AT(vmcp_tool, output_schema, 56);
AT(vmcp_tool, privileges, 64);

SIZE(vmcp_tools_0, 32);
AT(vmcp_tools_0, count, 8);
AT(vmcp_tools_0, at, 16);
AT(vmcp_tools_0, run, 24);

SIZE(vmcp_vcenter_0, 16);
AT(vmcp_vcenter_0, request, 8);

SIZE(vmcp_vim_0, 24);
AT(vmcp_vim_0, call, 8);
AT(vmcp_vim_0, get, 16);

#endif

/* Values that plugins have compiled in. */
VMCP_ASSERT(VMCP_SUSPENDED == 1);
VMCP_ASSERT(VMCP_E_INVALID == -1 && VMCP_E_NOT_FOUND == -2 && VMCP_E_CONFLICT == -3 && VMCP_E_DENIED == -4);
VMCP_ASSERT(VMCP_E_UNAVAILABLE == -5 && VMCP_E_TIMEOUT == -6 && VMCP_E_CANCELLED == -7);
VMCP_ASSERT(VMCP_E_UNSUPPORTED == -8 && VMCP_E_LIMIT == -9 && VMCP_E_FAULT == -10);
VMCP_ASSERT(VMCP_EFFECT_READ == 0 && VMCP_EFFECT_CHANGE == 1 && VMCP_EFFECT_DESTROY == 2);
VMCP_ASSERT(VMCP_TOOL_IDEMPOTENT == 1 && VMCP_TOOL_OPEN_WORLD == 2 && VMCP_TOOL_NO_UPSTREAM == 4);
VMCP_ASSERT(VMCP_TOOL_NEEDS_CONFIRM == 8);

int vmcp_layout_is_asserted;
