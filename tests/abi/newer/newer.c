/* Plugins from a later release, as far as this host can tell. NEWER_MINOR: needs a higher minor.
 * NEWER_INTERFACE: loads, asks for an interface that is not invented yet, and says in start() that it cannot
 * do without. */
#include <string.h>
#include <vmcp/vmcp.h>

#if defined(NEWER_MINOR)
#define NEEDS_MINOR (VMCP_ABI_MINOR + 1)
#else
#define NEEDS_MINOR VMCP_ABI_MINOR
#endif

static const vmcp_host* the_host;

static vmcp_status run(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json) {
  (void)plugin, (void)index, (void)call, (void)args_json;
  return VMCP_E_FAULT;
}
static const vmcp_tool kTool = {.size = sizeof(vmcp_tool),
                                .flags = VMCP_TOOL_NO_UPSTREAM,
                                .name = "newer",
                                .title = "Newer",
                                .description = "Is never called.",
                                .input_schema = "{\"type\":\"object\"}",
                                .privileges = ""};
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
  (void)plugin, (void)config_json;
#if defined(NEWER_INTERFACE)
  static const char kWhy[] =
      "this plugin needs vmcp.future/9, which this host does not have; upgrade the host";
  const vmcp_log_1* log = the_host->query(the_host, VMCP_IFACE_LOG);
  if (the_host->query(the_host, "vmcp.future/9") == NULL) {
    log->write(the_host, VMCP_LOG_ERROR, (vmcp_str){kWhy, sizeof kWhy - 1});
    return VMCP_E_UNSUPPORTED;
  }
#endif
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
  the_host = host;
#if defined(NEWER_INTERFACE)
  host->query(host, "vmcp.future/9"); /* named in the manifest by being asked for */
#endif
  *out = &kPlugin;
  return VMCP_OK;
}

const vmcp_entry* vmcp_entry_v1(void) {
  static const vmcp_entry kEntry = {.size = sizeof(vmcp_entry),
                                    .abi_major = VMCP_ABI_MAJOR,
                                    .abi_minor = NEEDS_MINOR,
                                    .id = NEWER_ID,
                                    .version = "1.0.0",
                                    .open = open_plugin};
  return &kEntry;
}
