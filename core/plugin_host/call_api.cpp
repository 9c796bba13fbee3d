#include "plugin_host/call_api.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/json.h"
#include "base/mask.h"
#include "plugin_host/content_rules.h"
#include "plugin_host/host_api.h"

namespace vmcp::plugin_host {
namespace {

constexpr std::size_t kMaxMessage = 4096, kMaxNote = 1024, kMaxLogger = 128, kMaxLogData = 64 * 1024;
constexpr std::string_view kTaskKey = "task";  // await_task() answers under it
constexpr std::string_view kLevels[] = {"debug", "info",     "notice", "warning",
                                        "error", "critical", "alert",  "emergency"};

int32_t call_cancelled(vmcp_call* call) {
  const Invocation* invocation = of(call);
  return invocation == nullptr || invocation->limits.cancel.cancelled() ||
                 std::chrono::steady_clock::now() >= invocation->limits.deadline
             ? 1
             : 0;
}

int64_t call_remaining_ms(vmcp_call* call) {
  const Invocation* invocation = of(call);
  if (invocation == nullptr) return 0;
  return std::chrono::duration_cast<milliseconds>(invocation->limits.deadline -
                                                  std::chrono::steady_clock::now())
      .count();
}

vmcp_status call_progress(vmcp_call* call, double done, double total, vmcp_str note) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (!std::isfinite(done) || !std::isfinite(total) || done < 0 || total < 0) return VMCP_E_INVALID;
    if (invocation.progress && done <= *invocation.progress) return VMCP_E_INVALID;
    invocation.progress = done;
    if (invocation.on_progress)
      invocation.on_progress(done, total, mask_text(view(note).substr(0, kMaxNote), kMaxNote));
    return VMCP_OK;
  });
}

vmcp_status call_add_text(vmcp_call* call, vmcp_str text) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (invocation.text_bytes + text.len > invocation.output.max_text_bytes) {
      invocation.failure = make_error(Code::internal, "the tool's answer is larger than " +
                                                          std::to_string(invocation.output.max_text_bytes) +
                                                          " bytes; ask for less (limit, filters)");
      return VMCP_E_LIMIT;
    }
    invocation.text_bytes += text.len;
    invocation.texts.emplace_back(view(text));
    return VMCP_OK;
  });
}

vmcp_status call_set_json(vmcp_call* call, vmcp_str json) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (json.len > invocation.output.max_json_bytes) {
      invocation.failure = make_error(Code::internal, "the tool's answer is larger than " +
                                                          std::to_string(invocation.output.max_json_bytes) +
                                                          " bytes; ask for less (limit, filters)");
      return VMCP_E_LIMIT;
    }
    invocation.structured.assign(view(json));
    return VMCP_OK;
  });
}

vmcp_status call_fail(vmcp_call* call, vmcp_status status, vmcp_str message) {
  const vmcp_status kept = status < 0 ? status : VMCP_E_FAULT;
  guarded(call, [&](Invocation& invocation) {
    if (!invocation.failure)
      invocation.failure = make_error(code_of(kept), std::string(view(message).substr(0, kMaxMessage)));
    return VMCP_OK;
  });
  return kept;
}

uint32_t call_round(vmcp_call* call) {
  return of(call) == nullptr ? 0 : of(call)->round;
}
vmcp_str call_state(vmcp_call* call) {
  return of(call) == nullptr ? vmcp_str{nullptr, 0} : span(of(call)->state);
}

vmcp_status call_set_state(vmcp_call* call, vmcp_str state) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (state.len > VMCP_STATE_MAX_BYTES) return VMCP_E_LIMIT;
    invocation.next_state.assign(view(state));
    return VMCP_OK;
  });
}

vmcp_status call_need_input(vmcp_call* call, vmcp_str key, vmcp_str request_json) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    const auto no = [&](vmcp_status status, std::string why) {
      invocation.last_error = std::move(why);
      invocation.last_code = code_of(status);
      return status;
    };
    const std::string name(view(key));
    if (!is_plain_name(name) || name == kTaskKey)
      return no(VMCP_E_INVALID, "an input's key has 1-64 characters of [A-Za-z0-9_.-] and is not \"task\"");
    if (request_json.len > VMCP_INPUT_MAX_BYTES)
      return no(VMCP_E_LIMIT, "an input request has at most 64 KiB");
    if (invocation.requests.size() >= VMCP_INPUTS_MAX && invocation.requests.count(name) == 0)
      return no(VMCP_E_LIMIT, "one round asks for at most 16 inputs");
    if (invocation.sent_change || !invocation.awaited_task.empty())
      return no(VMCP_E_CONFLICT, "input cannot be asked for after a change was sent or a task is awaited");
    if (invocation.produces == Produces::completion)
      return no(VMCP_E_UNSUPPORTED, "a completion asks nobody");
    auto request = check_input_request(view(request_json));
    if (!request) return no(VMCP_E_INVALID, request.error().text);
    for (const std::string& needed : request->needs)
      if (invocation.client_can.count(needed) == 0) {
        invocation.client_lacks = needed;
        return no(VMCP_E_UNSUPPORTED, "this client cannot be asked: it has no " + needed);
      }
    invocation.requests[name] = std::move(request->text);
    return VMCP_OK;
  });
}

vmcp_status call_await_task(vmcp_call* call, vmcp_str task) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    const std::string_view moref = view(task);
    if (moref.empty() || moref.size() > 128 || invocation.vcenter().empty()) return VMCP_E_INVALID;
    if (!invocation.requests.empty()) return VMCP_E_CONFLICT;
    invocation.awaited_task.assign(moref);
    return VMCP_OK;
  });
}

vmcp_status call_input(vmcp_call* call, vmcp_str key, vmcp_sink out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    const auto found = invocation.inputs.find(std::string(view(key)));
    if (found == invocation.inputs.end()) return VMCP_E_NOT_FOUND;
    deliver(out, found->second);
    return VMCP_OK;
  });
}

vmcp_status call_target(vmcp_call* call, vmcp_str json_pointer, vmcp_target* out) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    // Its maker's size, which may be that of an older or a newer header.
    if (out == nullptr || !VMCP_HAS(out, path)) return VMCP_E_INVALID;
    for (const Target& target : invocation.targets) {
      if (target.pointer != view(json_pointer)) continue;
      out->kind = span(target.object.kind);
      out->vcenter = span(target.object.vcenter);
      out->moref = span(target.object.id);
      out->name = span(target.object.name);
      out->path = span(target.object.path);
      return VMCP_OK;
    }
    return VMCP_E_NOT_FOUND;
  });
}

vmcp_str call_vcenter(vmcp_call* call) {
  const Invocation* invocation = of(call);
  return invocation == nullptr ? vmcp_str{nullptr, 0} : span(invocation->vcenter());
}
int32_t call_verbose(vmcp_call* call) {
  return of(call) != nullptr && of(call)->verbose ? 1 : 0;
}
vmcp_str call_last_error(vmcp_call* call) {
  return of(call) == nullptr ? vmcp_str{nullptr, 0} : span(of(call)->last_error);
}

vmcp_status call_add_content(vmcp_call* call, vmcp_str block_json) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (invocation.block_bytes + block_json.len > invocation.output.max_json_bytes ||
        invocation.blocks.size() >= invocation.output.max_blocks) {
      invocation.failure =
          make_error(Code::internal, "the answer's blocks are more than " +
                                         std::to_string(invocation.output.max_json_bytes) + " bytes or " +
                                         std::to_string(invocation.output.max_blocks) + "; ask for less");
      return VMCP_E_LIMIT;
    }
    auto block = check_block(invocation.produces, view(block_json), invocation.output.max_json_bytes);
    if (!block) {
      invocation.last_error = block.error().text;
      invocation.last_code = Code::internal;
      return VMCP_E_INVALID;
    }
    invocation.block_bytes += block->size();
    invocation.blocks.push_back(std::move(*block));
    return VMCP_OK;
  });
}

vmcp_status call_log(vmcp_call* call, vmcp_str level, vmcp_str logger, vmcp_str data_json) {
  return guarded(call, [&](Invocation& invocation) -> vmcp_status {
    if (std::find(std::begin(kLevels), std::end(kLevels), view(level)) == std::end(kLevels))
      return VMCP_E_INVALID;
    if (data_json.len > kMaxLogData) return VMCP_E_LIMIT;
    if (!invocation.on_log) return VMCP_OK;
    const auto data = parse_trusted_json(view(data_json), kMaxLogData);
    if (!data) return VMCP_E_INVALID;
    std::string masked;
    append_masked_json(masked, *data, 2 * kMaxLogData);
    invocation.on_log(view(level), view(logger).substr(0, kMaxLogger), masked);
    return VMCP_OK;
  });
}

int32_t call_client_can(vmcp_call* call, vmcp_str name) {
  return of(call) != nullptr && of(call)->client_can.find(view(name)) != of(call)->client_can.end() ? 1 : 0;
}

vmcp_str call_traceparent(vmcp_call* call) {
  return of(call) == nullptr ? vmcp_str{nullptr, 0} : span(of(call)->traceparent);
}

vmcp_status call_close_stream(vmcp_call* call) {
  return guarded(call, [](Invocation& invocation) -> vmcp_status {
    if (invocation.on_close_stream) invocation.on_close_stream();
    return VMCP_OK;
  });
}

constexpr vmcp_call_1 kCall = {
    sizeof(vmcp_call_1), 0,          call_cancelled,  call_remaining_ms, call_progress,    call_add_text,
    call_set_json,       call_fail,  call_round,      call_state,        call_set_state,   call_need_input,
    call_await_task,     call_input, call_target,     call_vcenter,      call_verbose,     call_last_error,
    call_add_content,    call_log,   call_client_can, call_traceparent,  call_close_stream};

}  // namespace

const vmcp_call_1& call_table() {
  return kCall;
}

}  // namespace vmcp::plugin_host
