/* vmcp/resources.h: what a client may read by URI. Plugin side, id "vmcp.resources/1", optional. */
#ifndef VMCP_RESOURCES_H
#define VMCP_RESOURCES_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_RESOURCES "vmcp.resources/1"

/* URIs. A plugin owns <its-id>:// and ui://<its-id>/, and the further schemes that it names in schemes()
 * when no other plugin has them. Whatever it declares lies there, and it is asked for nothing else.
 *
 * Declarations are copied and frozen when the plugin is loaded; texts may be null where nothing else is
 * said. */
typedef struct vmcp_resource {
  uint32_t size, zero;
  const char* uri;  /* required */
  const char* name; /* required */
  const char* title;
  const char* description;
  const char* mime_type;   /* "text/plain"; views have "text/html;profile=mcp-app" */
  const char* annotations; /* JSON object: MCP's "audience", "priority", "lastModified" */
  const char* meta;        /* JSON object for "_meta", e.g. {"ui":{"csp":{…}}} of a view */
} vmcp_resource;

typedef struct vmcp_resource_template {
  uint32_t size, zero;
  const char* uri_template; /* required; RFC 6570, "<scheme>://…/{id}" */
  const char* name;         /* required */
  const char* title;
  const char* description;
  const char* mime_type;
  const char* annotations;
  const char* meta;
} vmcp_resource_template;

typedef struct vmcp_resources_1 {
  uint32_t size, zero;
  /* How many resources are listed; constant for the plugin's life.
   * [any] */
  uint32_t (*count)(const vmcp_plugin* plugin);
  /* The declaration of resource `index`, or null beyond the end. Lives as long as the plugin.
   * [any] */
  const vmcp_resource* (*at)(const vmcp_plugin* plugin, uint32_t index);
  /* As count() and at(), for templates. Both may be null together: then there are none.
   * [any] */
  uint32_t (*template_count)(const vmcp_plugin* plugin);
  const vmcp_resource_template* (*template_at)(const vmcp_plugin* plugin, uint32_t index);
  /* Further schemes, comma-separated, without "://": "acme,acme-logs". Lower case, no dot. May be null, or
   * give null. A scheme that is the host's (vsphere, ui, http, https, file, data) or another plugin's refuses
   * the load. [any] */
  const char* (*schemes)(const vmcp_plugin* plugin);
  /* Runs one round of reading `uri`, which is this plugin's but need not be listed. Answers through
   * add_content() with one or more contents {"uri":…,"mimeType":…,"text":…} (or "blob": base64).
   * VMCP_E_NOT_FOUND when there is no such resource; VMCP_SUSPENDED as in vmcp_tools_1.run. Changing requests
   * are refused.
   * [worker] many at once */
  vmcp_status (*read)(const vmcp_plugin* plugin, vmcp_call* call, vmcp_str uri);
} vmcp_resources_1;

#ifdef __cplusplus
}
#endif
#endif
