/* vmcp/call.h: the context and the writer of one call. Host side, id "vmcp.call/1". */
#ifndef VMCP_CALL_H
#define VMCP_CALL_H

#include <vmcp/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMCP_IFACE_CALL "vmcp.call/1"

#define VMCP_STATE_MAX_BYTES 4096u
#define VMCP_INPUT_MAX_BYTES 65536u /* of one input request */
#define VMCP_INPUTS_MAX 16u         /* input requests of one round */

/* One object that the call is authorised for. Spans live until run() returns. */
typedef struct vmcp_target {
  uint32_t size, zero;
  vmcp_str kind;    /* "vm", "host", "snapshot", … */
  vmcp_str vcenter; /* the vCenter's name */
  vmcp_str moref;   /* "vm-3301" */
  vmcp_str name;
  vmcp_str path; /* inventory path, "/north/vm/prod/ledger-db"; may be empty for parts of an object */
} vmcp_target;

/* A call serves a tool, a resource, a prompt or a completion; the functions are the same for all.
 *
 * A call is a sequence of rounds. run() is synchronous within a round; it may end a round with VMCP_SUSPENDED
 * after need_input() or await_task(), leaving at most VMCP_STATE_MAX_BYTES of state. The host seals the state
 * and enters run() again, on any worker, perhaps in another process, with round() one higher. */
typedef struct vmcp_call_1 {
  uint32_t size, zero;

  /* 1 when the caller went away or the deadline passed: clean up and return VMCP_E_CANCELLED. Cheap.
   * [any] during the round */
  int32_t (*cancelled)(vmcp_call* call);
  /* Milliseconds until the deadline; 0 or less when it passed.
   * [any] during the round */
  int64_t (*remaining_ms)(vmcp_call* call);
  /* Tells the caller how far the work is. `done` must grow (else VMCP_E_INVALID); total 0 = unknown. May be
   * dropped.
   * [worker] */
  vmcp_status (*progress)(vmcp_call* call, double done, double total, vmcp_str note);

  /* Appends a text block to the answer; the host copies. VMCP_E_LIMIT when the answer grows too large.
   * [worker] */
  vmcp_status (*add_text)(vmcp_call* call, vmcp_str text);
  /* Sets the structured answer, one JSON object; the host copies, checks it against the output schema and
   * also gives it as text when no text block was added. A second call replaces the first.
   * [worker] */
  vmcp_status (*set_json)(vmcp_call* call, vmcp_str json);
  /* Says why the call fails, in words for the caller that name the fix. Returns `status`, so that
   * `return call->fail(…)` reads well.
   * [worker] */
  vmcp_status (*fail)(vmcp_call* call, vmcp_status status, vmcp_str message);

  /* The number of this round, from 0.
   * [worker] */
  uint32_t (*round)(vmcp_call* call);
  /* What set_state() left in the round before; empty in round 0. Lives until run() returns.
   * [worker] */
  vmcp_str (*state)(vmcp_call* call);
  /* Leaves state for the next round. VMCP_E_LIMIT over VMCP_STATE_MAX_BYTES.
   * [worker] */
  vmcp_status (*set_state)(vmcp_call* call, vmcp_str state);
  /* Asks the person or the model for input under `key` (1-64 of [A-Za-z0-9_.-], not "task"); `request_json`
   * is an MCP input request: {"method":"elicitation/create","params":{…}}, "sampling/createMessage" or
   * "roots/list". Several keys may be asked in one round; then return VMCP_SUSPENDED. Answers that did not
   * come are asked for again by asking again. VMCP_E_UNSUPPORTED: this client cannot be asked that
   * (client_can() knows before) · VMCP_E_CONFLICT: after the first changing request of this call, or after
   * await_task() · VMCP_E_INVALID: bad key or request · VMCP_E_LIMIT: over VMCP_INPUT_MAX_BYTES or
   * VMCP_INPUTS_MAX. [worker] */
  vmcp_status (*need_input)(vmcp_call* call, vmcp_str key, vmcp_str request_json);
  /* Asks to be entered again when the vCenter task ("task-9021", of this call's vCenter) has ended, or
   * shortly before the deadline if it has not. Then return VMCP_SUSPENDED. The next round finds a vim25
   * TaskInfo under the input key "task"; its state "running" then means: still running at the deadline.
   * VMCP_E_CONFLICT after need_input(): a round waits for one or the other.
   * [worker] */
  vmcp_status (*await_task)(vmcp_call* call, vmcp_str task_moref);
  /* The input that arrived under `key`, as JSON, into `out`. VMCP_E_NOT_FOUND when there is none.
   * [worker] */
  vmcp_status (*input)(vmcp_call* call, vmcp_str key, vmcp_sink out);

  /* The object that the argument at `json_pointer` ("/vm_id") was resolved to. Set out->size before the call.
   * VMCP_E_NOT_FOUND when that argument names no object.
   * [worker] */
  vmcp_status (*target)(vmcp_call* call, vmcp_str json_pointer, vmcp_target* out);
  /* The name of the vCenter that the call is for. Lives until run() returns.
   * [worker] */
  vmcp_str (*vcenter)(vmcp_call* call);
  /* 1 when the caller asked for the verbose answer.
   * [worker] */
  int32_t (*verbose)(vmcp_call* call);

  /* Why the last function of vmcp.inventory, vmcp.vcenter or vmcp.vim failed in this round, in words for the
   * caller. Lives until the next such call or until run() returns; empty when none failed.
   * [worker] */
  vmcp_str (*last_error)(vmcp_call* call);

  /* Appends one JSON object to the answer; the host copies. In a tool's call an MCP content block (type text,
   * image, audio, resource_link or resource), after the texts of add_text(); when a resource is read its
   * contents {"uri","mimeType","text" or "blob"}; for a prompt a message {"role","content"}.
   * VMCP_E_INVALID: not of that shape, or data that is not base64 · VMCP_E_LIMIT: the answer grows too large.
   * [worker] */
  vmcp_status (*add_content)(vmcp_call* call, vmcp_str block_json);
  /* Tells the client, not the operator, what happens: level is one of MCP's "debug" "info" "notice" "warning"
   * "error" "critical" "alert" "emergency", `data_json` any JSON value, `logger` a name or empty. Dropped
   * unless the client asked for that level. VMCP_E_INVALID: unknown level, or no JSON.
   * [worker] */
  vmcp_status (*log)(vmcp_call* call, vmcp_str level, vmcp_str logger, vmcp_str data_json);
  /* 1 when the client of this call can do `name`: "sampling", "sampling.tools", "elicitation.form",
   * "elicitation.url", "roots", "tasks". 0 for all else.
   * [worker] */
  int32_t (*client_can)(vmcp_call* call, vmcp_str name);
  /* The W3C trace context of the call, to be handed on; empty when there is none. Lives until run() returns.
   * [worker] */
  vmcp_str (*traceparent)(vmcp_call* call);
  /* Ends the present event stream early so that the client comes back and resumes, when the rest will take
   * long; ignored where there is none.
   * [worker] */
  vmcp_status (*close_stream)(vmcp_call* call);
} vmcp_call_1;

#ifdef __cplusplus
}
#endif
#endif
