/* vmcp/vim.h: vim25 methods and properties, in the VI/JSON shape. Host side, id "vmcp.vim/1". */
#ifndef VMCP_VIM_H
#define VMCP_VIM_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_VIM "vmcp.vim/1"

/* The host decides whether VI/JSON or SOAP carries it. Rules and statuses are those of
 * vmcp_vcenter_1.request: the operation table, the authorised targets, last_error(). On failure `out`
 * receives the vim25 fault,
 * {"_typeName":"InvalidPowerState","faultstring":…}, when there is one. */
typedef struct vmcp_vim_1 {
  uint32_t size, zero;

  /* Calls `method` ("CreateSnapshot_Task") of the object `type` ("VirtualMachine"), `moref` ("vm-3301").
   * params: a JSON object of the method's parameters; nested objects carry "_typeName".
   * The result goes to `out`; a task method gives
   * {"_typeName":"ManagedObjectReference","type":"Task","value":…}, which the host records as ACCEPTED in the
   * audit. [worker] */
  vmcp_status (*call)(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str method, vmcp_str params_json,
                      vmcp_sink out);

  /* Reads one property ("snapshot", "config.hardware"); "null" goes to `out` when it is unset.
   * [worker] */
  vmcp_status (*get)(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str property, vmcp_sink out);
} vmcp_vim_1;

#ifdef __cplusplus
}
#endif
#endif
