/* vmcp/completion.h: values while an argument is typed. Plugin side, id "vmcp.completion/1", optional. */
#ifndef VMCP_COMPLETION_H
#define VMCP_COMPLETION_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_COMPLETION "vmcp.completion/1"

#define VMCP_COMPLETION_MAX_VALUES 100u

typedef struct vmcp_completion_1 {
  uint32_t size, zero;
  /* What the argument `argument_name` may become, `value` being typed so far (maybe empty).
   * ref_json: {"type":"ref/prompt","name":…} or {"type":"ref/resource","uri":…}, a prompt or URI template of
   * this plugin; context_args_json: an object of the arguments given already.
   * Answers through set_json({"values":[text,…],"total":n,"hasMore":false}), only "values" required, at most
   * VMCP_COMPLETION_MAX_VALUES, best match first. Nothing to offer is no failure. Changing requests and
   * VMCP_SUSPENDED are refused.
   * [worker] many at once */
  vmcp_status (*complete)(const vmcp_plugin* plugin, vmcp_call* call, vmcp_str ref_json,
                          vmcp_str argument_name, vmcp_str value, vmcp_str context_args_json);
} vmcp_completion_1;

#ifdef __cplusplus
}
#endif
#endif
