#include "plugin_host/child/round_messages.h"

#include <chrono>

#include "plugin_host/call_api.h"
#include "plugin_host/host_api.h"

namespace vmcp::plugin_host::child {
namespace {

template <class Pairs>
void write_pairs(Writer& out, const Pairs& pairs) {
  out.number(static_cast<std::uint32_t>(pairs.size()));
  for (const auto& [key, value] : pairs) out.text(key).text(value);
}

template <class Texts>
void write_texts(Writer& out, const Texts& texts) {
  out.number(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) out.text(text);
}

void write_target(Writer& out, const Target& target) {
  const inventory::Object& object = target.object;
  out.text(target.pointer).text(object.kind).text(object.vcenter).text(object.id);
  out.text(object.name).text(object.path);
}

Target read_target(Reader& in) {
  Target out;
  out.pointer = in.text();
  out.object.kind = in.text();
  out.object.vcenter = in.text();
  out.object.id = in.text();
  out.object.name = in.text();
  out.object.path = in.text();
  return out;
}

}  // namespace

void write_round(Writer out, const Round& round, const Invocation& invocation) {
  const auto left =
      std::chrono::duration_cast<milliseconds>(invocation.limits.deadline - std::chrono::steady_clock::now());
  out.number(static_cast<std::uint8_t>(round.kind)).number(round.index);
  out.text(round.text).text(round.argument).text(round.value).text(round.context);
  out.number(static_cast<std::int64_t>(left.count())).number(static_cast<std::uint8_t>(invocation.verbose));
  out.text(invocation.vcenter()).text(invocation.traceparent);
  out.number(invocation.round).text(invocation.state);
  out.number(static_cast<std::uint8_t>(invocation.sent_change));
  out.number(static_cast<std::uint8_t>(static_cast<bool>(invocation.on_progress)));
  out.number(static_cast<std::uint8_t>(static_cast<bool>(invocation.on_log)));
  const OutputLimits& limits = invocation.output;
  for (const std::size_t limit : {limits.max_text_bytes, limits.max_json_bytes, limits.max_blocks})
    out.number(static_cast<std::uint64_t>(limit));
  write_pairs(out, invocation.inputs);
  write_texts(out, invocation.client_can);
  out.number(static_cast<std::uint32_t>(invocation.targets.size()));
  for (const Target& target : invocation.targets) write_target(out, target);
}

bool read_round(Reader in, Round& round, Invocation& invocation) {
  round.kind = static_cast<Round::Kind>(in.number<std::uint8_t>());
  round.index = in.number<std::uint32_t>();
  round.text = in.text();
  round.argument = in.text();
  round.value = in.text();
  round.context = in.text();
  invocation.limits.deadline = std::chrono::steady_clock::now() + milliseconds(in.number<std::int64_t>());
  invocation.verbose = in.flag();
  invocation.remote_vcenter = in.text();
  invocation.traceparent = in.text();
  invocation.round = in.number<std::uint32_t>();
  invocation.state = in.text();
  invocation.sent_change = in.flag();
  // Marked as heard; the lane puts its own function there.
  if (in.flag()) invocation.on_progress = [](double, double, std::string_view) {};
  if (in.flag()) invocation.on_log = [](std::string_view, std::string_view, std::string_view) {};
  invocation.output.max_text_bytes = in.number<std::uint64_t>();
  invocation.output.max_json_bytes = in.number<std::uint64_t>();
  invocation.output.max_blocks = in.number<std::uint64_t>();
  for (std::uint32_t i = in.count(); i > 0 && in.ok(); --i) {
    std::string key(in.text());
    invocation.inputs[std::move(key)] = in.text();
  }
  for (std::uint32_t i = in.count(); i > 0 && in.ok(); --i) invocation.client_can.emplace(in.text());
  for (std::uint32_t i = in.count(); i > 0 && in.ok(); --i) invocation.targets.push_back(read_target(in));
  return in.done();
}

void write_result(Writer out, vmcp_status status, const Invocation& invocation) {
  out.number(status);
  out.number(static_cast<std::uint8_t>(invocation.failure.has_value()));
  if (invocation.failure) out.number(status_of(invocation.failure->code)).text(invocation.failure->text);
  write_texts(out, invocation.texts);
  write_texts(out, invocation.blocks);
  out.number(static_cast<std::uint8_t>(!invocation.structured.empty())).text(invocation.structured);
  out.text(invocation.next_state).text(invocation.awaited_task).text(invocation.client_lacks);
  write_pairs(out, invocation.requests);
}

bool take_result(Reader in, Invocation& invocation, vmcp_status& status) {
  vmcp_call call{&invocation};
  const vmcp_call_1& table = call_table();
  bool fine = true;
  const auto accept = [&](vmcp_status put) { fine = fine && put == VMCP_OK; };

  status = in.number<vmcp_status>();
  if (in.flag()) {
    const auto why = in.number<vmcp_status>();
    table.fail(&call, why, span(in.text()));
  }
  for (std::uint32_t i = in.count(); i > 0 && in.ok() && fine; --i)
    accept(table.add_text(&call, span(in.text())));
  for (std::uint32_t i = in.count(); i > 0 && in.ok() && fine; --i)
    accept(table.add_content(&call, span(in.text())));
  const bool has_structured = in.flag();
  const std::string_view structured = in.text();
  if (has_structured && fine) accept(table.set_json(&call, span(structured)));
  if (const std::string_view state = in.text(); fine) accept(table.set_state(&call, span(state)));
  const std::string_view task = in.text();
  const std::string_view lacks = in.text();
  for (std::uint32_t i = in.count(); i > 0 && in.ok() && fine; --i) {
    const std::string_view key = in.text();
    accept(table.need_input(&call, span(key), span(in.text())));
  }
  if (!task.empty() && fine) accept(table.await_task(&call, span(task)));
  // What the plugin could not ask for; that it is lacking is the server's own knowledge.
  if (!lacks.empty() && lacks.size() <= 64 &&
      invocation.client_can.find(lacks) == invocation.client_can.end())
    invocation.client_lacks = lacks;
  return fine && in.done() && status <= VMCP_SUSPENDED;
}

}  // namespace vmcp::plugin_host::child
