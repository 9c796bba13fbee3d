/* The layout of every published structure, for LP64, and the values that plugins have compiled in. A change
 * here breaks plugins that are built already: only new members at the end are compatible, and then this file
 * grows by lines; of the lines that are there only a SIZE may rise. The test abi_layout_complete fails when
 * something has no line here; it reads this file through the preprocessor, as a list. */
#if defined(VMCP_LAYOUT_LIST)
#define AT(type, member, offset) VMCP_LAYOUT_AT type member offset
#define SIZE(type, bytes) VMCP_LAYOUT_SIZE type bytes
#define VALUE(name, value) VMCP_LAYOUT_VALUE name value
#else
#include <vmcp/vmcp.h>
#if defined(__cplusplus)
#define VMCP_ASSERT(condition) static_assert(condition, #condition)
#else
#define VMCP_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define AT(type, member, offset) VMCP_ASSERT(offsetof(type, member) == (offset))
#define SIZE(type, bytes) VMCP_ASSERT(sizeof(type) == (bytes))
#define VALUE(name, value) VMCP_ASSERT(name == (value))
#endif

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
AT(vmcp_plugin, size, 0);
AT(vmcp_plugin, zero, 4);
AT(vmcp_plugin, self, 8);
AT(vmcp_plugin, query, 16);
AT(vmcp_plugin, start, 24);
AT(vmcp_plugin, quiesce, 32);
AT(vmcp_plugin, close, 40);

SIZE(vmcp_entry, 32);
AT(vmcp_entry, size, 0);
AT(vmcp_entry, abi_major, 4);
AT(vmcp_entry, abi_minor, 6);
AT(vmcp_entry, id, 8);
AT(vmcp_entry, version, 16);
AT(vmcp_entry, open, 24);

SIZE(vmcp_target, 88);
AT(vmcp_target, size, 0);
AT(vmcp_target, zero, 4);
AT(vmcp_target, kind, 8);
AT(vmcp_target, vcenter, 24);
AT(vmcp_target, moref, 40);
AT(vmcp_target, name, 56);
AT(vmcp_target, path, 72);

SIZE(vmcp_call_1, 176);
AT(vmcp_call_1, size, 0);
AT(vmcp_call_1, zero, 4);
AT(vmcp_call_1, cancelled, 8);
AT(vmcp_call_1, remaining_ms, 16);
AT(vmcp_call_1, progress, 24);
AT(vmcp_call_1, add_text, 32);
AT(vmcp_call_1, set_json, 40);
AT(vmcp_call_1, fail, 48);
AT(vmcp_call_1, round, 56);
AT(vmcp_call_1, state, 64);
AT(vmcp_call_1, set_state, 72);
AT(vmcp_call_1, need_input, 80);
AT(vmcp_call_1, await_task, 88);
AT(vmcp_call_1, input, 96);
AT(vmcp_call_1, target, 104);
AT(vmcp_call_1, vcenter, 112);
AT(vmcp_call_1, verbose, 120);
AT(vmcp_call_1, last_error, 128);
AT(vmcp_call_1, add_content, 136);
AT(vmcp_call_1, log, 144);
AT(vmcp_call_1, client_can, 152);
AT(vmcp_call_1, traceparent, 160);
AT(vmcp_call_1, close_stream, 168);

SIZE(vmcp_completion_1, 16);
AT(vmcp_completion_1, size, 0);
AT(vmcp_completion_1, zero, 4);
AT(vmcp_completion_1, complete, 8);

SIZE(vmcp_operations_1, 16);
AT(vmcp_operations_1, size, 0);
AT(vmcp_operations_1, zero, 4);
AT(vmcp_operations_1, list, 8);

SIZE(vmcp_config_1, 16);
AT(vmcp_config_1, size, 0);
AT(vmcp_config_1, zero, 4);
AT(vmcp_config_1, schema, 8);

SIZE(vmcp_inventory_1, 24);
AT(vmcp_inventory_1, size, 0);
AT(vmcp_inventory_1, zero, 4);
AT(vmcp_inventory_1, list, 8);
AT(vmcp_inventory_1, get, 16);

SIZE(vmcp_log_1, 16);
AT(vmcp_log_1, size, 0);
AT(vmcp_log_1, zero, 4);
AT(vmcp_log_1, write, 8);

SIZE(vmcp_notify_1, 40);
AT(vmcp_notify_1, size, 0);
AT(vmcp_notify_1, zero, 4);
AT(vmcp_notify_1, tools_changed, 8);
AT(vmcp_notify_1, prompts_changed, 16);
AT(vmcp_notify_1, resources_changed, 24);
AT(vmcp_notify_1, resource_updated, 32);

SIZE(vmcp_preview_1, 16);
AT(vmcp_preview_1, size, 0);
AT(vmcp_preview_1, zero, 4);
AT(vmcp_preview_1, run, 8);

SIZE(vmcp_prompt, 40);
AT(vmcp_prompt, size, 0);
AT(vmcp_prompt, zero, 4);
AT(vmcp_prompt, name, 8);
AT(vmcp_prompt, title, 16);
AT(vmcp_prompt, description, 24);
AT(vmcp_prompt, arguments, 32);

SIZE(vmcp_prompts_1, 32);
AT(vmcp_prompts_1, size, 0);
AT(vmcp_prompts_1, zero, 4);
AT(vmcp_prompts_1, count, 8);
AT(vmcp_prompts_1, at, 16);
AT(vmcp_prompts_1, get, 24);

SIZE(vmcp_resource, 64);
AT(vmcp_resource, size, 0);
AT(vmcp_resource, zero, 4);
AT(vmcp_resource, uri, 8);
AT(vmcp_resource, name, 16);
AT(vmcp_resource, title, 24);
AT(vmcp_resource, description, 32);
AT(vmcp_resource, mime_type, 40);
AT(vmcp_resource, annotations, 48);
AT(vmcp_resource, meta, 56);

SIZE(vmcp_resource_template, 64);
AT(vmcp_resource_template, size, 0);
AT(vmcp_resource_template, zero, 4);
AT(vmcp_resource_template, uri_template, 8);
AT(vmcp_resource_template, name, 16);
AT(vmcp_resource_template, title, 24);
AT(vmcp_resource_template, description, 32);
AT(vmcp_resource_template, mime_type, 40);
AT(vmcp_resource_template, annotations, 48);
AT(vmcp_resource_template, meta, 56);

SIZE(vmcp_resources_1, 56);
AT(vmcp_resources_1, size, 0);
AT(vmcp_resources_1, zero, 4);
AT(vmcp_resources_1, count, 8);
AT(vmcp_resources_1, at, 16);
AT(vmcp_resources_1, template_count, 24);
AT(vmcp_resources_1, template_at, 32);
AT(vmcp_resources_1, schemes, 40);
AT(vmcp_resources_1, read, 48);

SIZE(vmcp_tool, 88);
AT(vmcp_tool, size, 0);
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
AT(vmcp_tool, client_needs, 72);
AT(vmcp_tool, view, 80);

SIZE(vmcp_tools_1, 32);
AT(vmcp_tools_1, size, 0);
AT(vmcp_tools_1, zero, 4);
AT(vmcp_tools_1, count, 8);
AT(vmcp_tools_1, at, 16);
AT(vmcp_tools_1, run, 24);

SIZE(vmcp_vcenter_1, 16);
AT(vmcp_vcenter_1, size, 0);
AT(vmcp_vcenter_1, zero, 4);
AT(vmcp_vcenter_1, request, 8);

SIZE(vmcp_vim_1, 24);
AT(vmcp_vim_1, size, 0);
AT(vmcp_vim_1, zero, 4);
AT(vmcp_vim_1, call, 8);
AT(vmcp_vim_1, get, 16);

#endif

VALUE(VMCP_OK, 0);
VALUE(VMCP_SUSPENDED, 1);
VALUE(VMCP_E_INVALID, -1);
VALUE(VMCP_E_NOT_FOUND, -2);
VALUE(VMCP_E_CONFLICT, -3);
VALUE(VMCP_E_DENIED, -4);
VALUE(VMCP_E_UNAVAILABLE, -5);
VALUE(VMCP_E_TIMEOUT, -6);
VALUE(VMCP_E_CANCELLED, -7);
VALUE(VMCP_E_UNSUPPORTED, -8);
VALUE(VMCP_E_LIMIT, -9);
VALUE(VMCP_E_FAULT, -10);
VALUE(VMCP_LOG_DEBUG, 0);
VALUE(VMCP_LOG_INFO, 1);
VALUE(VMCP_LOG_WARNING, 2);
VALUE(VMCP_LOG_ERROR, 3);
VALUE(VMCP_EFFECT_READ, 0);
VALUE(VMCP_EFFECT_CHANGE, 1);
VALUE(VMCP_EFFECT_DESTROY, 2);
VALUE(VMCP_TOOL_IDEMPOTENT, 1);
VALUE(VMCP_TOOL_OPEN_WORLD, 2);
VALUE(VMCP_TOOL_NO_UPSTREAM, 4);
VALUE(VMCP_TOOL_NEEDS_CONFIRM, 8);
VALUE(VMCP_TOOL_TASK_OPTIONAL, 16);
VALUE(VMCP_TOOL_TASK_REQUIRED, 32);
VALUE(VMCP_TOOL_TASK_ASKS_FIRST, 64);

int vmcp_layout_is_asserted;
