#include "base/mask.h"
#include "base/secret.h"
#include "pipeline/steps.h"
#include "tools/schema.h"

namespace vmcp::pipeline {
namespace {

Error not_kept(const Walk& walk, const std::string& why) {
  return make_error(Code::internal,
                    "Plugin " + walk.tool->plugin_label + " gave an answer that breaks its declaration: " +
                        why + (walk.invocation.sent_change ? " The change was made; read the state." : ""));
}

// Masks an answer in place. Unlike in a log nothing is cut: its size was bounded when the plugin gave it.
// Base64 stays as it is; that it is base64 was checked then too.
void mask_answer(Json& value, std::size_t max_bytes) {
  if (value.is_string()) {
    value = mask_text(value.get_ref<const std::string&>(), max_bytes);
  } else if (value.is_object()) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      if (is_secret_key(it.key()))
        it.value() = std::string(Secret::kMask);
      else if ((it.key() != "data" && it.key() != "blob") || !it.value().is_string())
        mask_answer(it.value(), max_bytes);
    }
  } else if (value.is_array()) {
    for (Json& element : value) mask_answer(element, max_bytes);
  }
}

// A preview travels as {"ok":true,"dry_run":true,"preview":{…}}: never mistaken for the change itself.
std::string preview_envelope(const Walk& walk) {
  std::string out = "{\"ok\":true,\"dry_run\":true,\"meta\":{\"host\":";
  append_json_string(out, walk.connection != nullptr ? walk.connection->name() : std::string());
  out += "},\"preview\":";
  out += walk.invocation.structured.empty() ? "{}" : walk.invocation.structured;
  out += '}';
  return out;
}

}  // namespace

Result<void> sanitise(Services&, Walk& walk) {
  plugin_host::Invocation& invocation = walk.invocation;
  ToolAnswer& answer = walk.answer;
  if (!answer.requests.empty() || !answer.parked.empty()) return {};  // not an answer yet
  if (walk.host.dry_run) invocation.structured = preview_envelope(walk);
  if (!invocation.structured.empty()) {
    auto value = parse_trusted_json(invocation.structured, invocation.output.max_json_bytes);
    if (!value) return not_kept(walk, value.error().text);
    if (!value->is_object()) return not_kept(walk, "the structured answer is no object.");
    if (walk.tool->output && !walk.host.dry_run)
      if (auto r = walk.tool->output->check(*value); !r) return not_kept(walk, r.error().text);
    // One scan tells whether there is anything to mask; only then is the tree written again.
    if (mask_text(invocation.structured, invocation.structured.size()) != invocation.structured) {
      mask_answer(*value, invocation.output.max_json_bytes);
      invocation.structured = dump_json(*value);
    }
  } else if (walk.tool->output) {
    return not_kept(walk, "it promises a structured answer and gave none.");
  }
  for (std::string& text : invocation.texts)
    answer.texts.push_back(mask_text(text, invocation.output.max_text_bytes));
  for (const std::string& block : invocation.blocks) {
    auto value = parse_trusted_json(block, invocation.output.max_json_bytes);
    if (!value || !value->is_object()) return not_kept(walk, "a content block is no JSON object.");
    mask_answer(*value, invocation.output.max_json_bytes);
    answer.blocks.push_back(dump_json(*value));
  }
  answer.structured = std::move(invocation.structured);
  if (walk.call.feature == Feature::tool && answer.texts.empty() && answer.blocks.empty())
    answer.texts.push_back(answer.structured.empty() ? "done" : answer.structured);
  return {};
}

}  // namespace vmcp::pipeline
