/* vmcp/notify.h: telling clients that something changed. Host side, id "vmcp.notify/1". */
#ifndef VMCP_NOTIFY_H
#define VMCP_NOTIFY_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_NOTIFY "vmcp.notify/1"

/* Reaches the clients that subscribed and may see it. From start() until quiesce() returns, else
 * VMCP_E_UNAVAILABLE; VMCP_E_LIMIT when it is said too often (the host drops it). Never blocks. */
typedef struct vmcp_notify_1 {
  uint32_t size, zero;
  /* The list of tools, prompts or resources should be read again.
   * [any] */
  vmcp_status (*tools_changed)(const vmcp_host* host);
  vmcp_status (*prompts_changed)(const vmcp_host* host);
  vmcp_status (*resources_changed)(const vmcp_host* host);
  /* The resource `uri` should be read again. VMCP_E_DENIED when it is not this plugin's.
   * [any] */
  vmcp_status (*resource_updated)(const vmcp_host* host, vmcp_str uri);
} vmcp_notify_1;

#ifdef __cplusplus
}
#endif
#endif
