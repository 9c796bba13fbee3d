/* Uses everything that the C headers have, and answers always the same: built once per release, it tells
 * whether a later host still means what it meant then. golden.cpp is the same through the C++ wrapper;
 * golden.json has the calls and their answers. Frozen with each release (tests/abi/freeze). */
#include <stdio.h>
#include <string.h>
#include <vmcp/vmcp.h>

/* The host's tables, read as abi.h says: what is beyond `size` is absent, and stays null here. */
static const vmcp_host* the_host;
static vmcp_call_1 calls;
static vmcp_inventory_1 inventory;
static vmcp_log_1 operators_log;
static vmcp_notify_1 notify;
static vmcp_vcenter_1 vcenter;
static vmcp_vim_1 vim;
static char config[256];

static vmcp_str text(const char* zero_terminated) {
  return (vmcp_str){zero_terminated, strlen(zero_terminated)};
}

static void read_table(const vmcp_host* host, const char* id, void* into, uint32_t own_size) {
  const void* table = host->query(host, id);
  uint32_t size = 0;
  memset(into, 0, own_size);
  if (table == NULL) return;
  memcpy(&size, table, sizeof size);
  memcpy(into, table, size < own_size ? size : own_size);
}

/* Sinks. */
static void give_json(void* call, vmcp_str json) {
  calls.set_json(call, json);
}
static void give_text(void* call, vmcp_str bytes) {
  calls.add_text(call, bytes);
}
static vmcp_status finish(vmcp_call* call, vmcp_status status) {
  return status < 0 ? calls.fail(call, status, calls.last_error(call)) : status;
}

enum { kText, kFacts, kFails, kAsks, kBlocks, kTarget, kObject, kObjects, kPower, kName, kSnapshot, kTools };

#define NO_ARGUMENTS "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"
#define A_VM                                                                                    \
  "{\"type\":\"object\",\"properties\":{\"vm_id\":{\"type\":\"string\",\"x-vmcp-kind\":\"vm\"," \
  "\"description\":\"A virtual machine.\"}},\"required\":[\"vm_id\"],\"additionalProperties\":false}"
#define TOOL(index, its_name, its_effect, its_flags, schema, output, its_privileges) \
  [index] = {.size = sizeof(vmcp_tool),                                              \
             .effect = its_effect,                                                   \
             .flags = its_flags,                                                     \
             .name = its_name,                                                       \
             .title = its_name,                                                      \
             .description = "Always answers the same.",                              \
             .input_schema = schema,                                                 \
             .output_schema = output,                                                \
             .privileges = its_privileges}

static const vmcp_tool kDeclared[kTools] = {
    TOOL(kText, "golden_text", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM,
         "{\"type\":\"object\",\"properties\":{\"word\":{\"type\":\"string\"}},\"required\":[\"word\"],"
         "\"additionalProperties\":false}",
         NULL, ""),
    TOOL(kFacts, "golden_facts", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM | VMCP_TOOL_IDEMPOTENT, NO_ARGUMENTS,
         "{\"type\":\"object\",\"properties\":{\"round\":{\"type\":\"integer\"}},\"required\":[\"round\"]}",
         ""),
    TOOL(kFails, "golden_fails", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM, NO_ARGUMENTS, NULL, ""),
    TOOL(kAsks, "golden_asks", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM, NO_ARGUMENTS, NULL, ""),
    TOOL(kBlocks, "golden_blocks", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM, NO_ARGUMENTS, NULL, ""),
    TOOL(kTarget, "golden_target", VMCP_EFFECT_READ, 0, A_VM, NULL, "System.Read"),
    TOOL(kObject, "golden_object", VMCP_EFFECT_READ, 0, A_VM, NULL, "System.Read"),
    TOOL(kObjects, "golden_objects", VMCP_EFFECT_READ, 0, A_VM, NULL, "System.Read"),
    TOOL(kPower, "golden_power", VMCP_EFFECT_READ, 0, A_VM, NULL, "System.Read"),
    TOOL(kName, "golden_name", VMCP_EFFECT_READ, 0, A_VM, NULL, "System.Read"),
    TOOL(kSnapshot, "golden_snapshot", VMCP_EFFECT_CHANGE, 0, A_VM, NULL,
         "VirtualMachine.State.CreateSnapshot"),
};

static vmcp_status run_text(vmcp_call* call, vmcp_str args_json) {
  operators_log.write(the_host, VMCP_LOG_WARNING, text("golden: a line for the operator"));
  calls.log(call, text("info"), text("golden"), text("{\"line\":1}"));
  calls.progress(call, 1, 2, text("half"));
  calls.progress(call, 2, 2, text("whole"));
  calls.add_text(call, args_json);
  return calls.add_text(call, text(config));
}

static vmcp_status run_facts(vmcp_call* call) {
  char json[512];
  const int has_time = calls.remaining_ms(call) > 0;
  const vmcp_str trace = calls.traceparent(call);
  snprintf(
      json, sizeof json,
      "{\"round\":%u,\"state_bytes\":%u,\"cancelled\":%d,\"has_time\":%d,\"verbose\":%d,"
      "\"asks_forms\":%d,\"flies\":%d,\"trace_bytes\":%u,\"updated\":%d,\"stranger\":%d,\"no_input\":%d}",
      calls.round(call), (unsigned)calls.state(call).len, calls.cancelled(call), has_time,
      calls.verbose(call), calls.client_can(call, text("elicitation.form")),
      calls.client_can(call, text("wings")), (unsigned)trace.len,
      notify.resource_updated(the_host, text("org.vmcp.golden://text")),
      notify.resource_updated(the_host, text("org.example.other://text")),
      calls.input(call, text("absent"), (vmcp_sink){call, give_text}));
  return calls.set_json(call, text(json));
}

static vmcp_status run_asks(vmcp_call* call) {
  if (calls.round(call) == 0) {
    calls.set_state(call, text("asked at first"));
    calls.need_input(call, text("name"),
                     text("{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":"
                          "\"What is your name?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":"
                          "{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}}"));
    return VMCP_SUSPENDED;
  }
  calls.add_text(call, calls.state(call));
  return calls.input(call, text("name"), (vmcp_sink){call, give_text});
}

static vmcp_status run_blocks(vmcp_call* call) {
  calls.add_content(
      call, text("{\"type\":\"resource_link\",\"uri\":\"org.vmcp.golden://text\",\"name\":\"text\"}"));
  calls.add_content(call, text("{\"type\":\"image\",\"data\":\"AAEC\",\"mimeType\":\"image/png\"}"));
  const vmcp_status refused = calls.add_content(call, text("{\"type\":\"unheard-of\"}"));
  return calls.add_text(call, text(refused == VMCP_E_INVALID ? "refused" : "taken"));
}

/* {"_typeName":"ManagedObjectReference","type":"Task","value":"task-12"} */
static void give_task(void* call, vmcp_str reference) {
  static const char kBefore[] = "\"value\":\"";
  char json[256] = "";
  if (reference.len >= sizeof json) return;
  memcpy(json, reference.ptr, reference.len);
  const char* value = strstr(json, kBefore);
  if (value == NULL) return;
  value += sizeof kBefore - 1;
  calls.await_task(call, (vmcp_str){value, strcspn(value, "\"")});
}

static vmcp_status run_snapshot(vmcp_call* call, const vmcp_target* vm) {
  if (calls.round(call) > 0) return calls.add_text(call, calls.state(call));
  const vmcp_status status =
      vim.call(call, text("VirtualMachine"), vm->moref, text("CreateSnapshot_Task"),
               text("{\"name\":\"golden\",\"description\":\"\",\"memory\":false,\"quiesce\":false}"),
               (vmcp_sink){call, give_task});
  if (status < 0) return finish(call, status);
  calls.set_state(call, text("a snapshot was taken"));
  return VMCP_SUSPENDED;
}

static vmcp_status run_power(vmcp_call* call, const vmcp_target* vm) {
  char path[256];
  int32_t http_status = 0;
  snprintf(path, sizeof path, "/api/vcenter/vm/%.*s/power", (int)vm->moref.len, vm->moref.ptr);
  const vmcp_status status =
      vcenter.request(call, text("GET"), text(path), text(""), (vmcp_sink){call, give_json}, &http_status);
  if (status < 0) return finish(call, status);
  return calls.add_text(call, text(http_status == 200 ? "200" : "not 200"));
}

static vmcp_status run_target(vmcp_call* call, const vmcp_target* vm) {
  calls.add_text(call, vm->kind);
  calls.add_text(call, vm->vcenter);
  calls.add_text(call, vm->moref);
  calls.add_text(call, vm->name);
  calls.add_text(call, vm->path);
  return calls.add_text(call, calls.vcenter(call));
}

static vmcp_status run_objects(vmcp_call* call, const vmcp_target* vm) {
  char query[512];
  snprintf(query, sizeof query,
           "{\"kind\":\"vm\",\"where\":{\"names\":[\"%.*s\"]},\"properties\":[\"name\"],\"limit\":1}",
           (int)vm->name.len, vm->name.ptr);
  return finish(call, inventory.list(call, text(query), (vmcp_sink){call, give_json}));
}

static vmcp_status run_on_vm(uint32_t index, vmcp_call* call) {
  vmcp_target vm = {.size = sizeof(vmcp_target)};
  if (calls.target(call, text("/vm_id"), &vm) != VMCP_OK)
    return calls.fail(call, VMCP_E_INVALID, text("vm_id names no virtual machine."));
  switch (index) {
    case kTarget:
      return run_target(call, &vm);
    case kObject:
      return finish(
          call, inventory.get(call, text("vm"), vm.moref, text("[\"name\"]"), (vmcp_sink){call, give_json}));
    case kObjects:
      return run_objects(call, &vm);
    case kPower:
      return run_power(call, &vm);
    case kName:
      return finish(
          call, vim.get(call, text("VirtualMachine"), vm.moref, text("name"), (vmcp_sink){call, give_text}));
    case kSnapshot:
      return run_snapshot(call, &vm);
    default:
      return VMCP_E_NOT_FOUND;
  }
}

static vmcp_status run(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json) {
  (void)plugin;
  switch (index) {
    case kText:
      return run_text(call, args_json);
    case kFacts:
      return run_facts(call);
    case kFails:
      return calls.fail(call, VMCP_E_CONFLICT, text("It always fails; call another tool."));
    case kAsks:
      return run_asks(call);
    case kBlocks:
      return run_blocks(call);
    default:
      return run_on_vm(index, call);
  }
}
static uint32_t count(const vmcp_plugin* plugin) {
  (void)plugin;
  return kTools;
}
static const vmcp_tool* at(const vmcp_plugin* plugin, uint32_t index) {
  (void)plugin;
  return index < kTools ? &kDeclared[index] : NULL;
}
static const vmcp_tools_1 kToolTable = {.size = sizeof(vmcp_tools_1), .count = count, .at = at, .run = run};

static vmcp_status preview(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json) {
  (void)plugin;
  (void)args_json;
  if (index != kSnapshot) return VMCP_E_UNSUPPORTED;
  return calls.set_json(call, text("{\"action\":\"take a snapshot\",\"warnings\":[\"it is golden\"]}"));
}
static const vmcp_preview_1 kPreviewTable = {.size = sizeof(vmcp_preview_1), .run = preview};

static const char* config_schema(const vmcp_plugin* plugin) {
  (void)plugin;
  return "{\"type\":\"object\",\"properties\":{\"word\":{\"type\":\"string\"}},\"additionalProperties\":"
         "false}";
}
static const vmcp_config_1 kConfigTable = {.size = sizeof(vmcp_config_1), .schema = config_schema};

/* Resources: one that is listed, and a template of the plugin's own scheme. */
static const vmcp_resource kResource = {.size = sizeof(vmcp_resource),
                                        .uri = "org.vmcp.golden://text",
                                        .name = "text",
                                        .title = "Text",
                                        .description = "Always the same.",
                                        .mime_type = "text/plain"};
static const vmcp_resource_template kTemplate = {.size = sizeof(vmcp_resource_template),
                                                 .uri_template = "golden://item/{id}",
                                                 .name = "item",
                                                 .title = "Item",
                                                 .description = "Says which it is.",
                                                 .mime_type = "text/plain"};
static uint32_t one(const vmcp_plugin* plugin) {
  (void)plugin;
  return 1;
}
static const vmcp_resource* resource_at(const vmcp_plugin* plugin, uint32_t index) {
  (void)plugin;
  return index == 0 ? &kResource : NULL;
}
static const vmcp_resource_template* template_at(const vmcp_plugin* plugin, uint32_t index) {
  (void)plugin;
  return index == 0 ? &kTemplate : NULL;
}
static const char* schemes(const vmcp_plugin* plugin) {
  (void)plugin;
  return "golden";
}
static vmcp_status read(const vmcp_plugin* plugin, vmcp_call* call, vmcp_str uri) {
  char json[512];
  (void)plugin;
  snprintf(json, sizeof json, "{\"uri\":\"%.*s\",\"mimeType\":\"text/plain\",\"text\":\"This is %.*s.\"}",
           (int)uri.len, uri.ptr, (int)uri.len, uri.ptr);
  return calls.add_content(call, text(json));
}
static const vmcp_resources_1 kResourceTable = {.size = sizeof(vmcp_resources_1),
                                                .count = one,
                                                .at = resource_at,
                                                .template_count = one,
                                                .template_at = template_at,
                                                .schemes = schemes,
                                                .read = read};

static const vmcp_prompt kPrompt = {
    .size = sizeof(vmcp_prompt),
    .name = "golden_prompt",
    .title = "Golden prompt",
    .description = "Hands its argument on.",
    .arguments = "[{\"name\":\"topic\",\"description\":\"What it is about.\",\"required\":true}]"};
static const vmcp_prompt* prompt_at(const vmcp_plugin* plugin, uint32_t index) {
  (void)plugin;
  return index == 0 ? &kPrompt : NULL;
}
/* The topic is a word, so the arguments can stand in the text with their quotes turned. */
static vmcp_status get(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json) {
  char json[512];
  (void)plugin;
  if (index != 0 || args_json.len > 200) return VMCP_E_NOT_FOUND;
  int used = snprintf(json, sizeof json, "{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"");
  for (size_t i = 0; i < args_json.len; ++i) json[used++] = args_json.ptr[i] == '"' ? '\'' : args_json.ptr[i];
  snprintf(json + used, sizeof json - (size_t)used, "\"}}");
  return calls.add_content(call, text(json));
}
static const vmcp_prompts_1 kPromptTable = {
    .size = sizeof(vmcp_prompts_1), .count = one, .at = prompt_at, .get = get};

static vmcp_status complete(const vmcp_plugin* plugin, vmcp_call* call, vmcp_str ref_json,
                            vmcp_str argument_name, vmcp_str value, vmcp_str context_args_json) {
  char json[256];
  (void)plugin;
  (void)ref_json;
  (void)context_args_json;
  snprintf(json, sizeof json, "{\"values\":[\"%.*s-%.*s\"],\"total\":1,\"hasMore\":false}", (int)value.len,
           value.ptr, (int)argument_name.len, argument_name.ptr);
  return calls.set_json(call, text(json));
}
static const vmcp_completion_1 kCompletionTable = {.size = sizeof(vmcp_completion_1), .complete = complete};

static const void* query(const vmcp_plugin* plugin, const char* iface) {
  (void)plugin;
  if (strcmp(iface, VMCP_IFACE_TOOLS) == 0) return &kToolTable;
  if (strcmp(iface, VMCP_IFACE_PREVIEW) == 0) return &kPreviewTable;
  if (strcmp(iface, VMCP_IFACE_CONFIG) == 0) return &kConfigTable;
  if (strcmp(iface, VMCP_IFACE_RESOURCES) == 0) return &kResourceTable;
  if (strcmp(iface, VMCP_IFACE_PROMPTS) == 0) return &kPromptTable;
  if (strcmp(iface, VMCP_IFACE_COMPLETION) == 0) return &kCompletionTable;
  return NULL;
}
static vmcp_status start(const vmcp_plugin* plugin, vmcp_str config_json) {
  (void)plugin;
  if (config_json.len >= sizeof config) return VMCP_E_LIMIT;
  memcpy(config, config_json.ptr, config_json.len);
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
  read_table(host, VMCP_IFACE_CALL, &calls, sizeof calls);
  read_table(host, VMCP_IFACE_INVENTORY, &inventory, sizeof inventory);
  read_table(host, VMCP_IFACE_LOG, &operators_log, sizeof operators_log);
  read_table(host, VMCP_IFACE_NOTIFY, &notify, sizeof notify);
  read_table(host, VMCP_IFACE_VCENTER, &vcenter, sizeof vcenter);
  read_table(host, VMCP_IFACE_VIM, &vim, sizeof vim);
  *out = &kPlugin;
  return VMCP_OK;
}

static const vmcp_entry kEntry = {.size = sizeof(vmcp_entry),
                                  .abi_major = VMCP_ABI_MAJOR,
                                  .abi_minor = VMCP_ABI_MINOR,
                                  .id = "org.vmcp.golden",
                                  .version = "1.0.0",
                                  .open = open_plugin};

const vmcp_entry* vmcp_entry_v1(void) {
  return &kEntry;
}
