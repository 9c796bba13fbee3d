/* vmcp/prompts.h: messages that a person picks to begin with. Plugin side, id "vmcp.prompts/1", optional. */
#ifndef VMCP_PROMPTS_H
#define VMCP_PROMPTS_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_PROMPTS "vmcp.prompts/1"

/* Copied and frozen when the plugin is loaded. */
typedef struct vmcp_prompt {
  uint32_t size, zero;
  const char* name;        /* 1-64 of [A-Za-z0-9_.-] */
  const char* title;       /* may be null */
  const char* description; /* non-empty: people choose by it */
  /* JSON array of {"name":…,"title":…,"description":…,"required":true}, or null: none. All are texts. */
  const char* arguments;
} vmcp_prompt;

typedef struct vmcp_prompts_1 {
  uint32_t size, zero;
  /* How many prompts; constant for the plugin's life.
   * [any] */
  uint32_t (*count)(const vmcp_plugin* plugin);
  /* The declaration of prompt `index`, or null beyond the end. Lives as long as the plugin.
   * [any] */
  const vmcp_prompt* (*at)(const vmcp_plugin* plugin, uint32_t index);
  /* Runs one round of making prompt `index`. `args_json` is an object of texts that has the required
   * arguments and no undeclared ones. Answers through add_content() with one or more messages {"role":"user"
   * or "assistant","content":{content block}}, and, if it wants, set_json({"description":…}).
   * VMCP_SUSPENDED as in vmcp_tools_1.run. Changing requests are refused.
   * [worker] many at once */
  vmcp_status (*get)(const vmcp_plugin* plugin, uint32_t index, vmcp_call* call, vmcp_str args_json);
} vmcp_prompts_1;

#ifdef __cplusplus
}
#endif
#endif
