#include "plugin_check/comparison.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "plugin_check/refusing_vcenter.h"
#include "plugin_check/tool_calls.h"

namespace vmcp::plugin_check {
namespace {

namespace child = plugin_host::child;

constexpr std::size_t kRefused = 3, kAnswered = 2, kMostRounds = 4, kMostResumed = 2;
constexpr int kRepeated = 5;
constexpr std::uint64_t kMemory = 512u << 20;

std::string shortened(const std::string& text) {
  return text.size() <= 300 ? text : text.substr(0, 300) + "…";
}

}  // namespace

Comparison::Comparison(Compared what, HeardLog& log, Reporter& report)
    : what_(std::move(what)), log_(log), report_(report) {}

std::size_t Comparison::run() {
  report_.at("a process of its own");
  if (::access(what_.runner.c_str(), X_OK) != 0) {
    report_.note("it was not compared with a process of its own: there is no program " + what_.runner);
    return 0;
  }
  plan();
  const PluginPtr first = open_here();
  if (!first) return 0;
  first_ = play_all(*first, {});
  const PluginPtr apart = open_apart();
  if (!apart) return made_;
  apart_ = play_all(*apart, first_);
  const PluginPtr second = open_here();
  if (!second) return made_;
  second_ = play_all(*second, apart_);
  for (std::size_t i = 0; i < planned_.size(); ++i) judge(i, *second, *apart);
  judge_resumed();
  return made_;
}

void Comparison::plan() {
  RefusingVcenter refusing(what_.seed);
  for (const tools::ToolPtr& tool : what_.tools) {
    Random random(what_.seed, tool->name + " compared");
    // What changes something would find it changed when it comes again.
    const bool asks = std::find(what_.asking.begin(), what_.asking.end(), tool->name) != what_.asking.end();
    Site* const answering = asks && !tool->changes() ? what_.answering() : nullptr;
    for (std::size_t i = 0; i < kRefused + (answering != nullptr ? kAnswered : 0); ++i) {
      Planned call;
      call.tool = tool.get();
      call.answering = i < kRefused ? nullptr : answering;
      call.seed = what_.seed + i;
      const Site& site = call.answering != nullptr ? *call.answering : static_cast<Site&>(refusing);
      if (make_arguments(*tool, site, random, call.arguments)) planned_.push_back(std::move(call));
    }
  }
}

Comparison::PluginPtr Comparison::open_here() {
  report_.at("open");
  auto plugin = plugin_host::Plugin::open(what_.entry, *what_.manifest, log_);
  if (!plugin) return nullptr;  // found when the declarations were looked at
  if (const auto started = (*plugin)->start(what_.config); !started) return nullptr;
  return *plugin;
}

Comparison::PluginPtr Comparison::open_apart() {
  report_.at("a process of its own");
  child::Settings settings;
  settings.process.runner = what_.runner;
  settings.process.library_fd = what_.library->fd();
  settings.process.plugin_id = what_.manifest->id;
  settings.process.lanes = 2;
  settings.process.memory_bytes = kMemory;
  settings.process.sandbox = child::Sandbox::best_effort;
  settings.first_pause = milliseconds(1);
  auto opened = child::open_in_child(settings, what_.manifest->text, *what_.manifest, log_, {});
  std::string why_not;
  if (opened) {
    auto plugin = std::make_shared<plugin_host::Plugin>(std::move(*opened));
    const auto started = plugin->start(what_.config);
    if (started) return plugin;
    why_not = started.error().text;
  } else {
    why_not = opened.error().text;
  }
  report_.found("differs-in-child",
                "it starts in a process of others, and not in one of its own: " + why_not);
  return nullptr;
}

std::vector<Comparison::Transcript> Comparison::play_all(const plugin_host::Plugin& plugin,
                                                         const std::vector<Transcript>& before) {
  std::vector<Transcript> out;
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    const bool late_before = i > 0 && planned_[i - 1].tool == planned_[i].tool && out[i - 1].late;
    if (late_before || (!before.empty() && before[i].late))
      out.push_back({{}, true, {}, {}});
    else
      out.push_back(play(plugin, planned_[i]));
  }
  return out;
}

Comparison::Transcript Comparison::play(const plugin_host::Plugin& plugin, const Planned& call) {
  RefusingVcenter refusing(call.seed);
  Site& site = call.answering != nullptr ? *call.answering : static_cast<Site&>(refusing);
  Random random(call.seed, "answers");
  const std::string text = dump_json(call.arguments);
  report_.at("tool " + call.tool->name, text);
  Transcript out;
  auto invocation = invocation_of(*call.tool, call.arguments, false, site);
  while (invocation && out.rounds.size() < kMostRounds) {
    const vmcp_status status = plugin.run(call.tool->index, *invocation, text);
    ++made_;
    const auto left = invocation->limits.deadline - std::chrono::steady_clock::now();
    out.late = out.late || left < site.deadline() / 4;
    out.rounds.push_back({status, invocation->texts, invocation->blocks, invocation->structured,
                          invocation->failure ? invocation->failure->text : std::string(),
                          invocation->awaited_task, invocation->requests});
    if (!goes_on(status, *invocation)) break;
    auto next = invocation_of(*call.tool, call.arguments, false, site);
    if (!next) break;
    next->round = invocation->round + 1;
    next->state = invocation->next_state;
    next->sent_change = invocation->sent_change;
    next->created = invocation->created;
    answer_inputs(*invocation, *next, site, random, true);
    if (out.rounds.size() == 1) {
      out.state = next->state;
      out.inputs = next->inputs;
    }
    invocation = std::move(next);
  }
  return out;
}

Comparison::Outcome Comparison::resume(const plugin_host::Plugin& plugin, const Planned& call,
                                       const Transcript& begun) {
  RefusingVcenter refusing(call.seed);
  Site& site = call.answering != nullptr ? *call.answering : static_cast<Site&>(refusing);
  auto invocation = invocation_of(*call.tool, call.arguments, false, site);
  if (!invocation) return begun.rounds[1];
  invocation->round = 1;
  invocation->state = begun.state;
  invocation->inputs = begun.inputs;
  const vmcp_status status = plugin.run(call.tool->index, *invocation, dump_json(call.arguments));
  ++made_;
  return {status,
          invocation->texts,
          invocation->blocks,
          invocation->structured,
          invocation->failure ? invocation->failure->text : std::string(),
          invocation->awaited_task,
          invocation->requests};
}

// The same both times here, before and after it was played apart; so time alone explains no difference.
bool Comparison::is_steady(std::size_t index) const {
  return !first_[index].late && !second_[index].late && first_[index].rounds == second_[index].rounds;
}

void Comparison::judge(std::size_t index, const plugin_host::Plugin& here, const plugin_host::Plugin& apart) {
  const Planned& call = planned_[index];
  report_.at("tool " + call.tool->name, dump_json(call.arguments));
  const bool first_of_tool = index == 0 || planned_[index - 1].tool != call.tool;
  if (first_of_tool) {
    bool any = false;
    for (std::size_t i = index; i < planned_.size() && planned_[i].tool == call.tool; ++i)
      any = any || is_steady(i);
    if (!any)
      report_.note("tool " + call.tool->name +
                   " was not compared with a process of its own: its answers differ from run to run, or take "
                   "all the time that there is");
  }
  if (!is_steady(index) || apart_[index].late || first_[index].rounds == apart_[index].rounds) return;
  if (!differs_each_time(index, here, apart)) {
    report_.note("tool " + call.tool->name + " with " + shortened(dump_json(call.arguments)) +
                 " was not compared with a process of its own: its answers differ from run to run");
    return;
  }
  report_.found("differs-in-child", difference(first_[index], apart_[index]));
}

// An answer that holds a time it measured may be the same twice here and another one once there; what is
// found has its own answer in each process, however often it is asked.
bool Comparison::differs_each_time(std::size_t index, const plugin_host::Plugin& here,
                                   const plugin_host::Plugin& apart) {
  for (int again = 0; again < kRepeated; ++again) {
    const Transcript is_here = play(here, planned_[index]), is_apart = play(apart, planned_[index]);
    if (is_here.late || is_apart.late || is_here.rounds != first_[index].rounds ||
        is_apart.rounds != apart_[index].rounds)
      return false;
  }
  return true;
}

void Comparison::judge_resumed() {
  PluginPtr fresh;
  std::map<const tools::Tool*, std::size_t> resumed;
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    const Planned& call = planned_[i];
    const Transcript& begun = apart_[i];
    // What did not go well with one process says nothing about two.
    if (begun.rounds.size() < 2 || begun.rounds[1].status < 0 || begun.late) continue;
    if (++resumed[call.tool] > kMostResumed) continue;
    if (!fresh) fresh = open_apart();
    if (!fresh) return;
    report_.at("tool " + call.tool->name + ", resumed in another process", dump_json(call.arguments));
    const Outcome& should = begun.rounds[1];
    Outcome is = resume(*fresh, call, begun);
    const auto differs = [&] { return is.status != should.status || (is_steady(i) && is != should); };
    for (int again = 0; again < kRepeated && differs(); ++again) is = resume(*fresh, call, begun);
    if (differs())
      report_.found("state-not-carried", "the second round gives, in the process of the first: " +
                                             in_words(should) + "; in another one: " + in_words(is));
  }
}

std::string Comparison::difference(const Transcript& here, const Transcript& apart) {
  const std::size_t rounds = std::min(here.rounds.size(), apart.rounds.size());
  std::size_t at = 0;
  while (at < rounds && here.rounds[at] == apart.rounds[at]) ++at;
  if (at == rounds) return "it takes another number of rounds in a process of its own";
  return "in this process: " + in_words(here.rounds[at]) +
         "; in a process of its own: " + in_words(apart.rounds[at]);
}

std::string Comparison::in_words(const Outcome& outcome) {
  std::string out = "status " + std::to_string(outcome.status);
  if (!outcome.failure.empty()) out += ", " + shortened(outcome.failure);
  if (!outcome.structured.empty()) out += ", " + shortened(outcome.structured);
  for (const auto* blocks : {&outcome.texts, &outcome.blocks})
    if (!blocks->empty()) out += ", " + shortened(blocks->front());
  for (const auto& [key, request] : outcome.requests) out += ", asks for " + key;
  return out;
}

}  // namespace vmcp::plugin_check
