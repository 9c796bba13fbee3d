#include "plugin_check/trial.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "plugin_check/comparison.h"
#include "plugin_check/offer_calls.h"
#include "plugin_check/subject.h"
#include "plugin_check/tool_calls.h"
#include "plugin_host/plugin.h"
#include "tools/features.h"
#include "tools/registry.h"
#include "tools/schema.h"

namespace vmcp::plugin_check {
namespace {

constexpr rlim_t kTrialMemory = 1u << 30, kFileSize = 16u << 20, kDescriptors = 256, kProcessorSeconds = 120;
constexpr milliseconds kThreadsEnd{1'000};
constexpr std::size_t kMaxInput = 4u << 20;

void limit(int resource, rlim_t most) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0) return;
  now.rlim_cur = now.rlim_max = std::min(now.rlim_max, most);
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &now);
}

std::size_t threads_now() {
  std::error_code error;
  std::size_t out = 0;
  for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end;
       it.increment(error))
    ++out;
  return out;
}

// A joined thread is gone for its plugin a moment before it is gone for the kernel.
void check_threads(std::size_t before, Reporter& report) {
  const auto deadline = std::chrono::steady_clock::now() + kThreadsEnd;
  std::size_t now = threads_now();
  while (now > before && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
    now = threads_now();
  }
  if (now > before)
    report.found_at("quiesce", "threads-left",
                    std::to_string(now - before) + " threads of the plugin run after quiesce() and close()");
}

void check_unknown_interfaces(Subject& subject, Reporter& report) {
  for (const char* id : {"vmcp.tools/1x", "vmcp.tools/", "vmcp.tools", "vmcp.tools/999", "VMCP.TOOLS/1",
                         "org.example.unknown/0", ""}) {
    bool fine = true;
    const void* const answer = subject.query(id, fine);
    if (!fine) return;
    if (answer == nullptr) continue;
    report.at("query");
    report.found("unknown-interface-answered", "query(\"" + std::string(id) + "\") gave a table");
    return;
  }
}

void check_beyond_the_end(Subject& subject, Reporter& report) {
  report.at("tools");
  held(report, [&] {
    const std::uint32_t count = subject.tools().count(subject.plugin());
    if (subject.tools().at(subject.plugin(), count) != nullptr)
      report.found("table-invalid", "at(" + std::to_string(count) + ") gives a tool, beyond the " +
                                        std::to_string(count) + " that there are; it must give null");
    if (subject.tools().count(subject.plugin()) != count)
      report.found("table-invalid", "count() changes; it is constant for the plugin's life");
  });
}

void check_interfaces(const plugin_host::Manifest& manifest, const ObservedHost& host, Reporter& report) {
  const auto asked = host.asked();
  const std::set<std::string> said(manifest.interfaces.begin(), manifest.interfaces.end());
  if (asked == said) return;
  const auto list = [](const std::set<std::string>& ids) {
    std::string out;
    for (const std::string& id : ids) out += (out.empty() ? "" : ", ") + id;
    return out.empty() ? std::string("none") : out;
  };
  report.at("open");
  report.found("interfaces-differ", "the manifest says " + list(said) + "; it asked for " + list(asked));
}

void check_effect(const plugin_host::Declaration& tool, Reporter& report) {
  report.at("tool " + tool.name);
  const bool reads = tool.effect == VMCP_EFFECT_READ;
  if (reads && (tool.flags & VMCP_TOOL_NEEDS_CONFIRM) != 0)
    report.found("effect-contradicts", "it reads only, and yet needs a confirmation");
  if ((tool.flags & VMCP_TOOL_NO_UPSTREAM) != 0 && !tool.privileges.empty())
    report.found("effect-contradicts",
                 "it asks nothing of a vCenter, and yet needs the privileges " + tool.privileges);
}

void check_schema(const std::string& text, const char* which, Reporter& report) {
  const auto found = [&](const std::string& saw) { report.found("schema-not-enforceable", saw); };
  if (const auto compiled = tools::Schema::compile(text, which); !compiled)
    return found(compiled.error().text);
  const auto value = parse_trusted_json(text);
  if (!value || !value->is_object() || value->value("type", Json()) != "object")
    found(std::string(which) + R"(: its root is not "type":"object")");
}

// Each declaration by itself, so that one bad tool does not hide the next; the host would stop at the first.
void check_declarations(Subject& subject, const plugin_host::Manifest& manifest, Reporter& report) {
  report.at("tools");
  std::vector<plugin_host::Declaration> tools;
  held(report, [&] {
    const std::uint32_t count = std::min<std::uint32_t>(subject.tools().count(subject.plugin()), 1'000);
    for (std::uint32_t i = 0; i < count; ++i) {
      auto declared = plugin_host::check_tool(subject.tools().at(subject.plugin(), i));
      if (declared)
        tools.push_back(std::move(*declared));
      else
        report.found_at("tool " + std::to_string(i), "declaration-invalid", declared.error().text);
    }
  });
  for (const plugin_host::Declaration& tool : tools) {
    check_effect(tool, report);
    check_schema(tool.input_schema, "its input schema", report);
    if (!tool.output_schema.empty()) check_schema(tool.output_schema, "its output schema", report);
  }
  report.at("configuration");
  if (!manifest.config_schema.is_null())
    check_schema(dump_json(manifest.config_schema), "the configuration schema", report);
}

// Which finding it is that the host's own Plugin::open() refuses.
const char* name_of(const Error& error) {
  switch (error.code) {
    case Code::denied:
      return "manifest-differs";
    case Code::unavailable:
      return "second-instance-refused";
    case Code::internal:
      return "exception-crosses-abi";
    default:
      return "declaration-invalid";
  }
}

// All that the host itself does with a plugin before it is offered, with a second instance. False: the host
// would not offer it.
bool check_as_host(const Entry& entry, const plugin_host::Manifest& manifest, const std::string& name,
                   HeardLog& log, Reporter& report, OfferedPlugin* out) {
  report.at("declarations");
  auto plugin = plugin_host::Plugin::open(entry.function, manifest, log);
  if (!plugin) {
    const bool refused = plugin.error().code == Code::unavailable;
    report.found_at(refused ? "open" : "declarations", name_of(plugin.error()), plugin.error().text);
    return false;
  }
  OfferedPlugin offered;
  offered.loaded.name = name;
  offered.loaded.plugin = *plugin;
  const auto& trusted = plugin_host::LoadSettings().trusted;
  offered.loaded.first_party = std::find(trusted.begin(), trusted.end(), name) != trusted.end();
  bool fine = true;
  if (const auto r = offered.registry.add(offered.loaded); !r) {
    report.found("tool-refused", r.error().text);
    fine = false;
  }
  tools::Features features;
  if (const auto r = features.add(offered.loaded); !r) {
    report.found("offer-refused", r.error().text);
    fine = false;
  }
  if (out != nullptr) *out = std::move(offered);
  return fine;
}

struct Trial {
  const TrialOptions& options;
  plugin_host::Manifest manifest;
  Reporter report;
  HeardLog log;
  Entry entry;
  std::string name;
  // The bytes that a process of its own would map; absent when there is none to compare with.
  std::optional<plugin_host::SealedLibrary> library;
  std::unique_ptr<AnsweringVcenter> answering = nullptr;
  bool asked = false;  // anything of a vCenter
  const Configuration& config() const { return options.input.config; }
};

// What a refusal of start() means: it may be that what was made up is just not good enough.
const char* refused_start(const Configuration& config) {
  return config.made_up && config.text != "{}" ? "config-needed" : "start-refused";
}

// The vCenter that answers, reached when it is first needed.
SiteOnDemand answering_of(Trial& trial) {
  return [&trial, asked = false]() mutable -> Site* {
    if (asked || !trial.options.input.vcenter) return trial.answering.get();
    asked = true;
    auto reached = AnsweringVcenter::reach(*trial.options.input.vcenter, trial.log);
    if (reached)
      trial.answering = std::move(*reached);
    else
      trial.report.note("no vCenter answered: " + reached.error().text);
    return trial.answering.get();
  };
}

// False: the host could not use it, so that calls would say nothing new.
bool life(Trial& trial) {
  Reporter& report = trial.report;
  auto first = Subject::open(trial.entry, trial.log, report);
  if (!first) return false;
  check_interfaces(trial.manifest, first->host(), report);
  check_unknown_interfaces(*first, report);
  check_beyond_the_end(*first, report);
  check_declarations(*first, trial.manifest, report);
  // The first is still open: this is the second of two at once.
  bool usable = check_as_host(trial.entry, trial.manifest, trial.name, trial.log, report, nullptr);
  if (!first->start(trial.config(), refused_start(trial.config()))) return false;
  auto second = Subject::open(trial.entry, trial.log, report, "second-instance-refused");
  if (second && second->start(trial.config(), "second-instance-refused"))
    usable = second->quiesce() && usable;
  if (second) second->close();
  usable = first->quiesce() && usable;
  first->close();
  auto again = Subject::open(trial.entry, trial.log, report, "reopen-failed");
  if (again && again->start(trial.config(), "reopen-failed")) again->quiesce();
  return usable && again != nullptr;
}

std::size_t calls(Trial& trial) {
  OfferedPlugin offered;
  if (!check_as_host(trial.entry, trial.manifest, trial.name, trial.log, trial.report, &offered)) return 0;
  const tools::ToolPtr tool = offered.registry.find(trial.options.tool);
  if (!tool) {
    trial.report.note("there is no tool " + trial.options.tool);
    return 0;
  }
  auto subject = Subject::open(trial.entry, trial.log, trial.report);
  if (!subject || !subject->start(trial.config())) return 0;
  subject->host().own_schemes(offered.loaded.plugin->schemes());
  ToolCalls tool_calls(*subject, *tool, trial.options.seed, answering_of(trial), trial.report);
  const std::size_t made = tool_calls.run(trial.options.calls);
  trial.asked = tool_calls.asked();
  subject->quiesce();
  subject->close();
  return made;
}

std::size_t offer_calls(Trial& trial, const plugin_host::Plugin& declared) {
  if (declared.resources().empty() && !declared.has_resources() && declared.prompts().empty()) return 0;
  auto subject = Subject::open(trial.entry, trial.log, trial.report);
  if (!subject || !subject->start(trial.config())) return 0;
  subject->host().own_schemes(declared.schemes());
  const std::size_t made =
      OfferCalls(*subject, declared, trial.options.seed, answering_of(trial), trial.report).run();
  subject->quiesce();
  subject->close();
  return made;
}

std::size_t compare(Trial& trial, const OfferedPlugin& offered) {
  if (!trial.library) return 0;
  Compared what;
  what.entry = trial.entry.function;
  what.library = &*trial.library;
  what.manifest = &trial.manifest;
  what.config = trial.config().text;
  what.runner = trial.options.input.runner;
  what.seed = trial.options.seed;
  what.answering = answering_of(trial);
  what.asking = trial.options.input.asking;
  for (const std::string& name : trial.options.input.compared)
    if (const tools::ToolPtr tool = offered.registry.find(name)) what.tools.push_back(tool);
  return Comparison(std::move(what), trial.log, trial.report).run();
}

std::size_t rest(Trial& trial) {
  OfferedPlugin offered;
  if (!check_as_host(trial.entry, trial.manifest, trial.name, trial.log, trial.report, &offered)) return 0;
  return offer_calls(trial, *offered.loaded.plugin) + compare(trial, offered);
}

void limit_this_process() {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kProcessorSeconds);
  limit(RLIMIT_FSIZE, kFileSize);
  limit(RLIMIT_NOFILE, kDescriptors);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_DATA, kTrialMemory);  // a sanitizer's shadow is larger than any bound
#endif
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

std::string to_text(const TrialInput& input) {
  Json out = {{"config", input.config.text},
              {"made_up", input.config.made_up},
              {"runner", input.runner},
              {"compared", input.compared},
              {"asking", input.asking}};
  if (input.vcenter)
    out["vcenter"] = {
        {"host", input.vcenter->host}, {"user", input.vcenter->user}, {"password", input.vcenter->password}};
  return dump_json(out);
}

TrialInput read_trial_input(int fd) {
  TrialInput out;
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0 && text.size() < kMaxInput;)
    text.append(buffer, static_cast<std::size_t>(n));
  const auto json = parse_trusted_json(text);
  if (!json || !json->is_object()) return out;
  out.config = {json->value("config", "{}"), json->value("made_up", true)};
  out.runner = json->value("runner", "");
  out.compared = json->value("compared", std::vector<std::string>());
  out.asking = json->value("asking", std::vector<std::string>());
  if (const auto at = json->find("vcenter"); at != json->end())
    out.vcenter = VcenterAddress{at->value("host", ""), at->value("user", ""), at->value("password", "")};
  return out;
}

int run_trial(const TrialOptions& options) {
  auto manifest =
      plugin_host::read_manifest(plugin_host::manifest_path(options.file), plugin_host::Place::workshop);
  if (!manifest) return 2;
  Trial trial{options, std::move(*manifest), Reporter(options.report_fd), {}, {}, {}, {}};
  trial.name = std::filesystem::path(options.file).stem().string();
  // Before the limits: memory files count as files.
  if (options.rest && !options.input.runner.empty() && !options.input.compared.empty())
    if (auto sealed = plugin_host::seal_library(options.file, plugin_host::Place::workshop))
      trial.library = std::move(*sealed);
  limit_this_process();
  const std::size_t threads = threads_now();
  bool usable = load_entry(options.file, trial.report, trial.entry);
  std::size_t made = 0;
  if (usable && options.rest)
    made = rest(trial);
  else if (usable && !options.tool.empty())
    made = calls(trial);
  else if (usable)
    usable = life(trial);
  trial.answering.reset();
  trial.report.at("quiesce");
  check_threads(threads, trial.report);
  trial.report.done(usable, made, trial.asked);
  return 0;
}

}  // namespace vmcp::plugin_check
