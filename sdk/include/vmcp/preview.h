/* vmcp/preview.h: what a changing tool would do. Plugin side, id "vmcp.preview/1", optional. */
#ifndef VMCP_PREVIEW_H
#define VMCP_PREVIEW_H

#include <vmcp/tools.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_PREVIEW "vmcp.preview/1"

typedef struct vmcp_preview_1 {
  uint32_t size, zero;
  /* Writes what run() would do with the same arguments, from live state, as a JSON object through set_json:
   * {"action": text, "target": {…}, "before": {…}, "after": {…}, "warnings": [text]}. Runs under read effect:
   * a changing request is refused. VMCP_E_UNSUPPORTED: this tool has no preview (the host shows its own).
   * [worker] */
  vmcp_status (*run)(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json);
} vmcp_preview_1;

#ifdef __cplusplus
}
#endif
#endif
