/* vmcp/inventory.h: reading the inventory as the caller may see it. Host side, id "vmcp.inventory/1". */
#ifndef VMCP_INVENTORY_H
#define VMCP_INVENTORY_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_INVENTORY "vmcp.inventory/1"

/* Kinds and their vim25 types: vm VirtualMachine, host HostSystem, datastore Datastore, network Network (with
 * DistributedVirtualPortgroup and OpaqueNetwork), datacenter Datacenter, cluster ClusterComputeResource (with
 * ComputeResource of a standalone host), folder Folder.
 *
 * Properties are vim25 property paths ("runtime.powerState", "summary.quickStats"); values come in the
 * VI/JSON shape without the boxes around primitives and arrays (a MoRef stays {"type","value"}).
 *
 * An object:
 * {"id":"vm-3301","kind":"vm","type":"VirtualMachine","name":"ledger-db","path":"/north/vm/prod/ledger-db",
 *             "properties":{"runtime.powerState":"poweredOn"},"unavailable":{"config":"NoPermission
 * System.Read"}} "unavailable" names what could not be read and why; it is absent when everything could. */
typedef struct vmcp_inventory_1 {
  uint32_t size, zero;

  /* All visible objects of a kind that match.
   * query: {"kind":"vm", "properties":["runtime.powerState"],
   *         "where":{"names":["ledger-*"], "ids":["vm-3301"], "power_states":["POWERED_ON"],
   *                  "hosts":["host-31"], "clusters":["domain-c8"], "datacenters":["datacenter-3"],
   *                  "folders":["group-v4"]},
   *         "limit":100, "cursor":"…"}
   * Only kind is required. Within one filter any value matches, all filters must match; names are globs, the
   * object filters are MoRefs. Objects come sorted by name, then id. cursor is a "next" of an earlier answer.
   * answer: {"objects":[…], "returned":2, "total":120, "truncated":false, "next":"…"}
   * ("total" counts what matches before limit; "next" is there only when truncated.)
   * VMCP_E_INVALID bad query or cursor · VMCP_E_UNAVAILABLE, _TIMEOUT, _DENIED from vCenter; why:
   * vmcp_call_1.last_error(). [worker] */
  vmcp_status (*list)(vmcp_call* call, vmcp_str query_json, vmcp_sink out);

  /* One object by MoRef with the given properties (a JSON array of paths), as an object above.
   * VMCP_E_NOT_FOUND when it is not there or may not be seen.
   * [worker] */
  vmcp_status (*get)(vmcp_call* call, vmcp_str kind, vmcp_str moref, vmcp_str properties_json, vmcp_sink out);
} vmcp_inventory_1;

#ifdef __cplusplus
}
#endif
#endif
