/* vmcp/config.h: the schema of a plugin's configuration. Plugin side, id "vmcp.config/1", optional. */
#ifndef VMCP_CONFIG_H
#define VMCP_CONFIG_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_CONFIG "vmcp.config/1"

typedef struct vmcp_config_1 {
  uint32_t size, zero;
  /* JSON Schema 2020-12 (root "type":"object") of what start() takes; the host checks [plugin.config] against
   * it before start(). Zero-terminated; lives as long as the plugin.
   * [any] */
  const char* (*schema)(const vmcp_plugin* plugin);
} vmcp_config_1;

#ifdef __cplusplus
}
#endif
#endif
