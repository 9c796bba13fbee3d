#include "plugin_check/finding.h"

#include <algorithm>

namespace vmcp::plugin_check {
namespace {

constexpr std::size_t kMaxFindings = 1'000, kMaxSaw = 2'000;

}  // namespace

const std::vector<KnownFinding>& known_findings() {
  static const std::vector<KnownFinding> kKnown = {
      // The file.
      {"exports",
       "export vmcp_entry_v1 alone: build with vmcp_add_plugin, or link with the SDK's plugin.map"},
      {"late-binding", "link with -z now, so that a missing symbol refuses the load and not a call"},
      {"executable-stack", "link with -z noexecstack; assembler files need a .note.GNU-stack section"},
      {"text-relocations", "compile every file with -fPIC"},
      {"run-path", "link what the plugin needs statically: a host may load it from memory, beside nothing"},
      {"file-unsafe", "give the file to root or the server's user, with nobody else able to write to it"},
      {"manifest-unreadable", "build with vmcp_add_plugin, or run vmcp-manifest after each link"},
      {"abi-version", "build it with the SDK of this release"},
      // Loading.
      {"library-not-loadable", "link everything it uses (-z defs finds what is missing)"},
      {"entry-invalid", "return a static vmcp_entry with all members filled, as VMCP_PLUGIN does"},
      {"open-failed", "make open() work without any host service; those come with start()"},
      {"table-invalid", "set size to sizeof the table and fill every function of it"},
      {"unknown-interface-answered", "compare the whole id in query(), and answer null to all others"},
      {"declaration-invalid",
       "correct the declaration; vmcp/tools.h, resources.h and prompts.h have the rules"},
      {"manifest-differs", "build again, so that the manifest is written from the library as it is"},
      {"interfaces-differ", "ask for all host interfaces in open(), whoever the host is, and build again"},
      {"schema-not-enforceable", "use the keywords of JSON Schema 2020-12 that the host enforces"},
      {"tool-refused", "correct the tool's declaration as the text says"},
      {"offer-refused", "correct the resource, template or prompt as the text says"},
      {"effect-contradicts", "declare the effect that the tool has: reads(), changes() or destroys()"},
      {"start-refused", "make start() accept a configuration that the plugin's own schema accepts"},
      {"config-needed", "say what start() gets: --config '{\"setting\":…}' with what its schema requires"},
      {"config-refused", "correct --config, or the schema that the plugin publishes"},
      {"quiesce-failed", "make quiesce() join threads and drop caches without failing"},
      {"close-failed", "make close() free the plugin without failing"},
      {"second-instance-refused", "keep state in the instance, not in globals: a host may open two at once"},
      {"reopen-failed", "make open() work again after close(): a host may disable and enable a plugin"},
      {"threads-left", "join every thread in quiesce()"},
      // Anywhere.
      {"exception-crosses-abi", "catch it inside: use the SDK's wrapper, or a catch around each hook"},
      {"crashed", "run the replay command under a debugger or with -fsanitize=address,undefined"},
      {"ended-the-process", "never call exit(): return a status instead"},
      {"does-not-return", "poll cancelled() and return VMCP_E_CANCELLED when it says so"},
      {"slow-to-cancel", "poll cancelled() more often, also while waiting"},
      {"writes-to-stdout",
       "use vmcp.log: standard output belongs to the protocol where a client starts the host"},
      // Calls.
      {"tool-fault", "handle the case: repeating the call will not help its caller"},
      {"unknown-status", "return VMCP_OK, VMCP_SUSPENDED or one of the VMCP_E_ values"},
      {"answer-missing", "give an answer with add_text(), set_json() or add_content() before VMCP_OK"},
      {"answer-not-as-declared", "answer what the output schema says, or change the schema"},
      {"fails-and-says-ok", "return the status that fail() returned"},
      {"output-over-limit", "answer less: offer limit and filters, and stop when the host says VMCP_E_LIMIT"},
      {"suspended-for-nothing", "call need_input() or await_task() before VMCP_SUSPENDED"},
      {"rounds-do-not-end", "carry what was answered in the state, and do not ask for it again"},
      {"request-not-allowed",
       "change only the objects of the call's own arguments, and nothing from a tool that reads"},
      {"state-not-carried",
       "keep what the next round needs in the state, not in memory: it may run in another process"},
      {"differs-in-child",
       "take what it needs from its configuration and the host: a process of its own has no files, no "
       "environment and no network"},
      {"wrong-thread", "use the call on the thread that it came on; only cancelled() is for any"},
      {"call-kept", "do not keep the call: it ends when the function returns that it was given to"},
      // Resources, prompts, completion.
      {"listed-not-readable", "answer every resource that is listed, or do not list it"},
      {"unknown-uri-answered", "return VMCP_E_NOT_FOUND for a URI of yours that names nothing"},
      {"completion-invalid", "answer {\"values\":[text, …]} with at most 100 texts, in one round"},
  };
  return kKnown;
}

std::string_view fix_of(std::string_view name) {
  for (const KnownFinding& known : known_findings())
    if (known.name == name) return known.fix;
  return {};
}

std::string findings_table() {
  std::string out = "| Finding | Fix |\n|---|---|\n";
  for (const KnownFinding& known : known_findings()) {
    out += "| `" + std::string(known.name) + "` | ";
    for (const char c : known.fix) out += c == '|' ? std::string("\\|") : std::string(1, c);
    out += " |\n";
  }
  return out;
}

Json to_json(const Finding& finding) {
  return {{"name", finding.name},
          {"where", finding.where},
          {"saw", finding.saw},
          {"arguments", finding.arguments}};
}

bool from_json(const Json& json, Finding& out) {
  if (!json.is_object()) return false;
  for (const auto& [key, member] : {std::pair<const char*, std::string*>{"name", &out.name},
                                    {"where", &out.where},
                                    {"saw", &out.saw},
                                    {"arguments", &out.arguments}}) {
    const auto it = json.find(key);
    if (it == json.end() || !it->is_string()) return false;
    *member = it->get<std::string>();
  }
  return !fix_of(out.name).empty();
}

void Findings::add(Finding finding) {
  const bool there = std::any_of(all_.begin(), all_.end(), [&](const Finding& other) {
    return other.name == finding.name && other.where == finding.where;
  });
  if (there || all_.size() >= kMaxFindings) return;
  if (finding.saw.size() > kMaxSaw) finding.saw.resize(kMaxSaw);
  all_.push_back(std::move(finding));
}

}  // namespace vmcp::plugin_check
