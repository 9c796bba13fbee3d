/* vmcp/vcenter.h: requests of the vSphere Automation API. Host side, id "vmcp.vcenter/1". */
#ifndef VMCP_VCENTER_H
#define VMCP_VCENTER_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_VCENTER "vmcp.vcenter/1"

typedef struct vmcp_vcenter_1 {
  uint32_t size, zero;

  /* Sends one request to the call's vCenter, always in the /api dialect (the host translates for /rest):
   * method "GET", path "/api/vcenter/vm/vm-3301/power" (ids percent-encoded; query after '?'), body JSON or
   * empty. The host adds session and deadline, repeats only idempotent requests, and checks the operation
   * against the table made from the official documents: unlisted is refused; sessions are never reachable; a
   * changing request must name an authorised target of this call, a part of it, or an object created in this
   * call.
   *
   * Returns VMCP_OK with the reply's JSON in `out` (not called when there is no body) and the status in
   * *http_status. Otherwise `out` receives {"error_type":"NOT_FOUND","messages":[…]} when vCenter answered
   * with its own error, *http_status its status (0: no answer), and the status says what to do next: _INVALID
   * _NOT_FOUND _CONFLICT _DENIED _UNAVAILABLE _TIMEOUT (a change may have happened) _CANCELLED. Words for the
   * caller: vmcp_call_1.last_error(). [worker] */
  vmcp_status (*request)(vmcp_call* call, vmcp_str method, vmcp_str path, vmcp_str body, vmcp_sink out,
                         int32_t* http_status);
} vmcp_vcenter_1;

#ifdef __cplusplus
}
#endif
#endif
