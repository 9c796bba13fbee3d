/* vmcp/log.h: the operator's log. Host side, id "vmcp.log/1". */
#ifndef VMCP_LOG_H
#define VMCP_LOG_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_LOG "vmcp.log/1"

enum { VMCP_LOG_DEBUG = 0, VMCP_LOG_INFO = 1, VMCP_LOG_WARNING = 2, VMCP_LOG_ERROR = 3 };

typedef struct vmcp_log_1 {
  uint32_t size, zero;
  /* One line for the operator. The host adds the plugin's id, masks secrets, cuts at 4 KiB and limits the
   * rate. Never fails. [any] */
  void (*write)(const vmcp_host* host, int32_t level, vmcp_str message);
} vmcp_log_1;

#ifdef __cplusplus
}
#endif
#endif
