#include "plugin_check/check.h"

#include <cstring>

#include "base/crypto.h"
#include "plugin_check/child.h"
#include "plugin_check/configuration.h"
#include "plugin_check/inspect.h"
#include "plugin_check/printable.h"
#include "plugin_check/trial.h"
#include "plugin_host/library.h"

namespace vmcp::plugin_check {
namespace {

constexpr std::size_t kMaxNotes = 100;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 10; ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > 10 ? out + ", …" : out;
}

void check_file(const ElfFacts& elf, const std::string& file, Findings& findings) {
  const auto found = [&](const char* name, std::string saw) {
    findings.add({name, "library", std::move(saw), {}});
  };
  if (elf.exports != std::vector<std::string>{VMCP_ENTRY_SYMBOL})
    found("exports", elf.exports.empty() ? "it exports nothing" : "it exports " + joined(elf.exports));
  if (!elf.binds_now) found("late-binding", "it is not linked with -z now");
  if (elf.executable_stack) found("executable-stack", "it asks for an executable stack");
  if (elf.text_relocations) found("text-relocations", "its code is changed while it is loaded");
  if (!elf.run_path.empty()) found("run-path", "its run path is " + elf.run_path);
  if (const auto r = plugin_host::seal_library(file, plugin_host::Place::workshop); !r)
    found("file-unsafe", r.error().text);
}

// One trial's story, line by line.
struct Story {
  std::string where, arguments;  // what it did last
  bool done = false, usable = false, asked = false;
  std::size_t calls = 0;
};

void take_line(const std::string& line, Story& story, CheckReport& report) {
  const auto json = parse_trusted_json(line);
  if (!json || !json->is_object()) return;
  const auto text = [&](const char* key) {
    const auto it = json->find(key);
    return it != json->end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Finding finding;
  if (json->contains("at")) {
    story.where = text("at");
    story.arguments = text("arguments");
  } else if (json->contains("finding") && from_json((*json)["finding"], finding)) {
    report.findings.add(std::move(finding));
  } else if (json->contains("note") && report.notes.size() < kMaxNotes) {
    report.notes.push_back(text("note"));
  } else if (json->contains("done")) {
    story.done = true;
    story.usable = json->value("usable", false);
    story.calls = json->value("calls", std::size_t{0});
    story.asked = json->value("asked", false);
  }
}

void judge_end(const ChildOutcome& child, const Story& story, CheckReport& report) {
  const auto found = [&](const char* name, std::string saw) {
    if (!child.error_end.empty()) saw += "; on standard error: " + child.error_end;
    report.findings.add({name, story.where, std::move(saw), story.arguments});
  };
  if (!child.out_begin.empty())
    report.findings.add({"writes-to-stdout", "library", "it wrote: " + child.out_begin, {}});
  if (child.stalled)
    found("does-not-return", "it was still there when it should have returned long ago");
  else if (child.signal != 0 && !story.done)
    found("crashed", std::string("it was killed by ") + ::strsignal(child.signal));
  else if (!story.done && child.exit_code != 0)
    found("crashed", "the process ended with code " + std::to_string(child.exit_code));
  else if (!story.done)
    found("ended-the-process", "the process ended with code 0");
}

// Runs one trial; `part` is its own arguments.
Result<Story> run_part(const CheckOptions& options, const std::vector<std::string>& part, bool vcenter_too,
                       TrialInput input, CheckReport& report) {
  std::vector<std::string> arguments = {"plugin",
                                        "trial",
                                        options.file,
                                        "--seed",
                                        std::to_string(options.seed),
                                        "--calls",
                                        std::to_string(options.calls)};
  arguments.insert(arguments.end(), part.begin(), part.end());
  std::shared_ptr<const VcenterAddress> vcenter;  // as long as the trial
  if (options.vcenter && vcenter_too) {
    auto started = options.vcenter();
    if (!started) return started.error();
    vcenter = std::move(*started);
    input.vcenter = *vcenter;
  }
  const auto child = run_child(options.program, std::move(arguments), to_text(input), options.stall);
  if (!child) return child.error();
  Story story;
  for (const std::string& line : child->lines) take_line(line, story, report);
  judge_end(*child, story, report);
  return story;
}

Result<void> run_trials(const CheckOptions& options, const plugin_host::Manifest& manifest,
                        const Configuration& config, CheckReport& report) {
  TrialInput input;
  input.config = config;
  const auto life = run_part(options, {}, false, input, report);
  if (!life) return life.error();
  if (!life->usable) {
    report.notes.push_back("no tool was called: the findings above come first");
    return {};
  }
  for (const plugin_host::Declaration& tool : manifest.tools) {
    if (!options.tool.empty() && tool.name != options.tool) continue;
    const std::size_t before = report.findings.all().size();
    const auto story =
        run_part(options, {"--tool", tool.name}, (tool.flags & VMCP_TOOL_NO_UPSTREAM) == 0, input, report);
    if (!story) return story.error();
    ++report.tools;
    report.calls += story->calls;
    if (report.findings.all().size() != before || story->calls == 0) continue;
    // One that has findings already would only have the same again in a process of its own.
    input.compared.push_back(tool.name);
    if (story->asked) input.asking.push_back(tool.name);
  }
  const auto& offers = manifest.offers;
  const bool offers_any = offers.reads || !offers.prompts.empty();
  input.runner = options.runner;
  if (!offers_any && (input.runner.empty() || input.compared.empty())) return {};
  const auto rest = run_part(options, {"--rest"}, offers_any || !input.asking.empty(), input, report);
  if (!rest) return rest.error();
  report.calls += rest->calls;
  return {};
}

}  // namespace

Result<CheckReport> check_plugin(const CheckOptions& options) {
  auto bytes = read_library(options.file);
  if (!bytes) return make_error(bytes.error().code, options.file + ": " + bytes.error().text);
  const auto elf = read_elf(*bytes);
  if (!elf) return make_error(elf.error().code, options.file + ": " + elf.error().text);
  CheckReport report;
  report.file = options.file;
  report.seed = options.seed;
  report.sha256 = to_hex(sha256(*bytes));
  check_file(*elf, options.file, report.findings);
  const auto manifest =
      plugin_host::read_manifest(plugin_host::manifest_path(options.file), plugin_host::Place::workshop);
  if (!manifest) {
    report.findings.add({"manifest-unreadable", "manifest", manifest.error().text, {}});
    return report;
  }
  report.id = manifest->id;
  report.version = manifest->version;
  if (manifest->abi_major != VMCP_ABI_MAJOR || manifest->abi_minor > VMCP_ABI_MINOR) {
    report.findings.add({"abi-version",
                         "manifest",
                         "it was built for ABI " + std::to_string(manifest->abi_major) + "." +
                             std::to_string(manifest->abi_minor) + ", this host speaks " +
                             std::to_string(VMCP_ABI_MAJOR) + "." + std::to_string(VMCP_ABI_MINOR),
                         {}});
    return report;
  }
  if (!options.tool.empty()) {
    bool there = false;
    for (const plugin_host::Declaration& tool : manifest->tools) there = there || tool.name == options.tool;
    if (!there) return make_error(Code::not_found, "there is no tool '" + options.tool + "' in its manifest");
  }
  Finding unfit;
  const auto config = choose_configuration(*manifest, options.config, options.seed, unfit);
  if (!config) {
    report.findings.add(unfit);
    report.notes.push_back("nothing was called: the finding above comes first");
    return report;
  }
  if (const auto r = run_trials(options, *manifest, *config, report); !r) return r.error();
  return report;
}

std::string report_text(const CheckReport& report) {
  std::string out;
  for (const Finding& finding : report.findings.all()) {
    out += finding.name + ": " + printable(finding.where) + "\n";
    out += "    saw: " + printable(finding.saw) + "\n";
    if (!finding.arguments.empty())
      out += "    with: " + printable(finding.arguments.substr(0, 1'000)) + "\n";
    out += "    fix: " + std::string(fix_of(finding.name)) + "\n";
  }
  for (const std::string& note : report.notes) out += "note: " + printable(note) + "\n";
  const std::size_t count = report.findings.all().size();
  out += count == 0 ? "ok: no findings" : std::to_string(count) + (count == 1 ? " finding" : " findings");
  out += " in " + std::to_string(report.calls) + " calls of " + std::to_string(report.tools) +
         (report.tools == 1 ? " tool" : " tools");
  if (!report.id.empty()) out += " of " + printable(report.id) + " " + printable(report.version);
  out += "; replay with --seed " + std::to_string(report.seed) + "\n";
  return out;
}

std::string report_json(const CheckReport& report) {
  using Ordered = nlohmann::ordered_json;
  Ordered findings = Ordered::array();
  for (const Finding& finding : report.findings.all()) {
    Ordered entry = {{"name", finding.name},
                     {"where", finding.where},
                     {"saw", finding.saw},
                     {"fix", std::string(fix_of(finding.name))}};
    if (!finding.arguments.empty()) entry["arguments"] = finding.arguments;
    findings.push_back(std::move(entry));
  }
  const Ordered out = {{"ok", report.findings.empty()}, {"file", report.file},     {"id", report.id},
                       {"version", report.version},     {"sha256", report.sha256}, {"seed", report.seed},
                       {"tools", report.tools},         {"calls", report.calls},   {"findings", findings},
                       {"notes", report.notes}};
  return out.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace vmcp::plugin_check
