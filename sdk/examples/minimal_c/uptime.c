/* A plugin in C, as small as it gets: one tool that tells since when a virtual machine runs. It needs no JSON
 * library, since the host names the object that the caller meant and the inventory's answer is the tool's. */
#include <string.h>
#include <vmcp/vmcp.h>

/* The host's tables; the same for every instance, and there as long as the plugin is. */
static const vmcp_call_1* call_table;
static const vmcp_inventory_1* inventory;

static const vmcp_tool kTool = {
    .size = sizeof(vmcp_tool),
    .effect = VMCP_EFFECT_READ,
    .flags = VMCP_TOOL_IDEMPOTENT,
    .name = "show_vm_uptime",
    .title = "Show a virtual machine's uptime",
    .description =
        "Shows whether a virtual machine runs, when it was booted and for how many seconds it has run.",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{\"vm_id\":{\"type\":\"string\",\"minLength\":1,"
        "\"maxLength\":1024,\"x-vmcp-kind\":\"vm\",\"description\":\"The virtual machine: its id, exact "
        "name or inventory path.\"}},\"required\":[\"vm_id\"],\"additionalProperties\":false}",
    .output_schema =
        "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"},"
        "\"properties\":{\"type\":\"object\"}},\"required\":[\"id\"]}",
    .privileges = "System.View,System.Read",
};

static vmcp_str text(const char* zero_terminated) {
  return (vmcp_str){zero_terminated, strlen(zero_terminated)};
}

struct answer {
  vmcp_call* call;
  vmcp_status status;
};

/* A sink: the bytes are borrowed, so they are handed on before it returns. */
static void give(void* context, vmcp_str json) {
  struct answer* answer = context;
  answer->status = call_table->set_json(answer->call, json);
}

static vmcp_status run(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json) {
  (void)plugin;
  (void)args_json; /* all that it says is which VM, and that the host has resolved */
  if (index != 0) return VMCP_E_NOT_FOUND;
  if (call_table == NULL || inventory == NULL) return VMCP_E_UNSUPPORTED;
  vmcp_target vm = {.size = sizeof(vmcp_target)};
  if (call_table->target(call, text("/vm_id"), &vm) != VMCP_OK)
    return call_table->fail(call, VMCP_E_INVALID, text("vm_id names no virtual machine."));
  struct answer answer = {call, VMCP_OK};
  const vmcp_sink sink = {&answer, give};
  const vmcp_str wanted =
      text("[\"runtime.powerState\",\"runtime.bootTime\",\"summary.quickStats.uptimeSeconds\"]");
  const vmcp_status read = inventory->get(call, text("vm"), vm.moref, wanted, sink);
  return read < 0 ? call_table->fail(call, read, call_table->last_error(call)) : answer.status;
}

static uint32_t count(const vmcp_plugin* plugin) {
  (void)plugin;
  return 1;
}
static const vmcp_tool* at(const vmcp_plugin* plugin, uint32_t index) {
  (void)plugin;
  return index == 0 ? &kTool : NULL;
}
static const vmcp_tools_1 kTools = {.size = sizeof(vmcp_tools_1), .count = count, .at = at, .run = run};

static const void* query(const vmcp_plugin* plugin, const char* iface) {
  (void)plugin;
  return strcmp(iface, VMCP_IFACE_TOOLS) == 0 ? &kTools : NULL;
}
static vmcp_status start(const vmcp_plugin* plugin, vmcp_str config_json) {
  (void)plugin;
  (void)config_json;
  return VMCP_OK;
}
static vmcp_status quiesce(const vmcp_plugin* plugin) {
  (void)plugin;
  return VMCP_OK;
}
static void close_plugin(const vmcp_plugin* plugin) {
  (void)plugin;
}
static const vmcp_plugin kPlugin = {
    .size = sizeof(vmcp_plugin), .query = query, .start = start, .quiesce = quiesce, .close = close_plugin};

static vmcp_status open_plugin(const vmcp_host* host, const vmcp_plugin** out) {
  call_table = host->query(host, VMCP_IFACE_CALL);
  inventory = host->query(host, VMCP_IFACE_INVENTORY);
  *out = &kPlugin;
  return VMCP_OK;
}

const vmcp_entry* vmcp_entry_v1(void) {
  static const vmcp_entry kEntry = {.size = sizeof(vmcp_entry),
                                    .abi_major = VMCP_ABI_MAJOR,
                                    .abi_minor = VMCP_ABI_MINOR,
                                    .id = "org.example.uptime",
                                    .version = "1.0.0",
                                    .open = open_plugin};
  return &kEntry;
}
