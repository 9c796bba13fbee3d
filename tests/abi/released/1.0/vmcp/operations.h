/* vmcp/operations.h: which of a vCenter's operations a plugin needs. Plugin side, id "vmcp.operations/1",
 * optional. Without it: whatever the effect of its tools allows. With it: nothing else, and never more than
 * that. Operators read it before they trust a plugin, and the host holds the plugin to it. */
#ifndef VMCP_OPERATIONS_H
#define VMCP_OPERATIONS_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_OPERATIONS "vmcp.operations/1"

typedef struct vmcp_operations_1 {
  uint32_t size, zero;
  /* Comma-separated patterns, at most 1000: requests as "GET /api/vcenter/vm/STAR/power" with * for STAR (a
   * wildcard within one segment; a last segment ** is everything below), methods and properties as
   * "VirtualMachine.PowerOnVM_Task" or "HostSystem.*". "" needs no operation at all. Goes into the manifest.
   * Zero-terminated; lives as long as the plugin.
   * [any] */
  const char* (*list)(const vmcp_plugin* plugin);
} vmcp_operations_1;

#ifdef __cplusplus
}
#endif
#endif
