#include "plugin_check/tool_calls.h"

#include <algorithm>
#include <chrono>

#include "plugin_host/plugin.h"
#include "tools/schema.h"

namespace vmcp::plugin_check {
namespace {

constexpr int kAttempts = 40;
constexpr std::size_t kCallsAtOnce = 6, kMostAnswered = 8;
// Tools that wait for their deadlines are called less often than others.
constexpr milliseconds kMostTime{1'000};

}  // namespace

std::optional<plugin_host::Invocation> invocation_of(const tools::Tool& tool, const Json& arguments,
                                                     bool preview, Site& site) {
  auto targets = targets_of(tool, arguments, site);
  if (!targets) return std::nullopt;
  plugin_host::Invocation out;
  out.targets = std::move(*targets);
  if (!tool.no_upstream) {
    out.connection = &site.connection();
    out.inventory = &site.inventory();
  }
  out.visible = [](const inventory::Object&) { return true; };
  out.allowed = tool.changes() && !preview ? plugin_host::Allowed::change : plugin_host::Allowed::read;
  out.declared = &tool.plugin->manifest();
  out.limits.deadline = std::chrono::steady_clock::now() + site.deadline();
  out.client_can = {"sampling", "sampling.tools", "elicitation.form", "elicitation.url", "roots", "tasks"};
  return out;
}

bool make_arguments(const tools::Tool& tool, const Site& site, Random& random, Json& out) {
  const auto schema = parse_trusted_json(tool.plugin->tools()[tool.index].input_schema);
  if (!schema) return false;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    out = generate(*schema, *schema, random, site.objects());
    if (!out.is_object()) continue;
    site.make_agree(tool, out);
    if (tool.input->check(out)) return true;
  }
  return false;
}

ToolCalls::ToolCalls(Subject& subject, const tools::Tool& tool, std::uint64_t seed, SiteOnDemand answering,
                     Reporter& report)
    : subject_(subject),
      tool_(tool),
      seed_(seed),
      answering_(std::move(answering)),
      report_(report),
      random_(seed, tool.name),
      refusing_(seed),
      calls_(report, random_) {}

std::size_t ToolCalls::run(std::size_t count) {
  std::size_t made = against(refusing_, count, random_);
  if (made == 0) {
    report_.note("tool " + tool_.name +
                 " was not called: no arguments could be made that its input schema accepts");
    return 0;
  }
  calls_.cancelled(busiest_);
  ++made;
  if (tool_.max_parallel != 1) made += at_once(kCallsAtOnce);
  if (Site* const answering = calls_.asked() ? answering_() : nullptr; answering != nullptr) {
    Random random(seed_, tool_.name + " answered");
    made += against(*answering, std::min(count, kMostAnswered), random);
  }
  made += calls_.cancelled_everywhere(busiest_, most_used_);
  calls_.judge_handles("tool " + tool_.name);
  return made;
}

std::size_t ToolCalls::against(Site& site, std::size_t count, Random& random) {
  std::size_t made = 0;
  const auto one = [&](const Json& arguments, bool preview) {
    Callable what = callable(arguments, preview, site);
    const std::size_t used = calls_.call(what);
    ++made;
    if (used < most_used_ || preview) return;
    most_used_ = used;
    busiest_ = std::move(what);
  };
  const SteadyTime begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (&site != &refusing_ && std::chrono::steady_clock::now() - begun > kMostTime) break;
    Json arguments;
    if (!make_arguments(tool_, site, random, arguments)) continue;
    if (!invocation_of(tool_, arguments, false, site)) continue;  // the host would refuse it
    // Before the call, which may change what the preview is about.
    if (subject_.preview().run != nullptr && tool_.changes()) one(arguments, true);
    one(arguments, false);
  }
  return made;
}

std::size_t ToolCalls::at_once(std::size_t count) {
  std::vector<Callable> row;
  for (std::size_t i = 0; i < count; ++i)
    if (Json arguments; make_arguments(tool_, refusing_, random_, arguments))
      row.push_back(callable(arguments, false, refusing_));
  return calls_.at_once(row);
}

Callable ToolCalls::callable(const Json& arguments, bool preview, Site& site) {
  Callable out;
  out.name = (preview ? "preview of " : "tool ") + tool_.name;
  out.arguments = dump_json(arguments);
  out.site = &site;
  out.prepare = [this, arguments, preview, &site] { return invocation_of(tool_, arguments, preview, site); };
  const auto function = preview ? subject_.preview().run : subject_.tools().run;
  out.run = [this, function, text = out.arguments](vmcp_call* call) {
    return function(subject_.plugin(), tool_.index, call, vmcp_str{text.data(), text.size()});
  };
  out.judge = [this, preview](const WatchedRound& round) { judge_answer(round.invocation, preview); };
  return out;
}

void ToolCalls::judge_answer(const plugin_host::Invocation& invocation, bool preview) {
  if (invocation.structured.empty()) {
    if (preview || tool_.output)
      report_.found("answer-not-as-declared",
                    "it returned VMCP_OK without the structured answer that it promises");
    else if (invocation.texts.empty() && invocation.blocks.empty())
      report_.found("answer-missing", "it returned VMCP_OK without an answer");
    return;
  }
  const auto answer = parse_trusted_json(invocation.structured);
  if (!answer || !answer->is_object()) {
    report_.found("answer-not-as-declared",
                  "its structured answer is no JSON object: " + invocation.structured.substr(0, 200));
    return;
  }
  if (preview || !tool_.output) return;
  if (const auto r = tool_.output->check(*answer); !r)
    report_.found("answer-not-as-declared", "its output schema refuses its answer: " + r.error().text);
}

}  // namespace vmcp::plugin_check
