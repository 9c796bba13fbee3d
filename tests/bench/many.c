/* Twenty tools that do nothing. The benchmark copies the library fifty times, each with other digits in the
 * place of "bench00", which is why the names stand here as they are: no compiler may build them from parts.
 */
#include <string.h>
#include <vmcp/vmcp.h>

#define SCHEMA                                                                                      \
  "{\"type\":\"object\",\"properties\":{"                                                           \
  "\"vm_name\":{\"type\":\"string\",\"maxLength\":80,\"description\":\"Which virtual machine.\"},"  \
  "\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":365,\"default\":14},"                   \
  "\"order\":{\"type\":\"string\",\"enum\":[\"age\",\"size\",\"name\"]},"                           \
  "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":40},\"maxItems\":10}," \
  "\"deep\":{\"type\":\"boolean\",\"default\":false}},\"required\":[\"vm_name\"],"                  \
  "\"additionalProperties\":false}"
#define TOOL(digits)                                                                        \
  {                                                                                         \
    .size = sizeof(vmcp_tool), .effect = VMCP_EFFECT_READ,                                  \
    .flags = VMCP_TOOL_IDEMPOTENT | VMCP_TOOL_NO_UPSTREAM, .name = "bench00_tool_" digits,  \
    .title = "Nothing",                                                                     \
    .description = "Does nothing at all, with arguments of the size that real tools have.", \
    .input_schema = SCHEMA, .privileges = ""                                                \
  }
#define TEN(digit)                                                                                      \
  TOOL(digit "0"), TOOL(digit "1"), TOOL(digit "2"), TOOL(digit "3"), TOOL(digit "4"), TOOL(digit "5"), \
      TOOL(digit "6"), TOOL(digit "7"), TOOL(digit "8"), TOOL(digit "9")

static const vmcp_tool kAll[] = {TEN("0"), TEN("1")};

static uint32_t count(const vmcp_plugin* plugin) {
  (void)plugin;
  return sizeof kAll / sizeof kAll[0];
}

static const vmcp_tool* at(const vmcp_plugin* plugin, uint32_t index) {
  return index < count(plugin) ? &kAll[index] : NULL;
}

static vmcp_status run(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json) {
  (void)plugin, (void)index, (void)call, (void)args_json;
  return VMCP_OK;
}

static const vmcp_tools_1 kTools = {.size = sizeof(vmcp_tools_1), .count = count, .at = at, .run = run};

static const void* query(const vmcp_plugin* plugin, const char* iface) {
  (void)plugin;
  return strcmp(iface, VMCP_IFACE_TOOLS) == 0 ? &kTools : NULL;
}

static vmcp_status start(const vmcp_plugin* plugin, vmcp_str config_json) {
  (void)plugin, (void)config_json;
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
  (void)host;
  *out = &kPlugin;
  return VMCP_OK;
}

static const vmcp_entry kEntry = {.size = sizeof(vmcp_entry),
                                  .abi_major = VMCP_ABI_MAJOR,
                                  .abi_minor = VMCP_ABI_MINOR,
                                  .id = "org.vmcp.bench00",
                                  .version = "1.0.0",
                                  .open = open_plugin};

const vmcp_entry* vmcp_entry_v1(void) {
  return &kEntry;
}
