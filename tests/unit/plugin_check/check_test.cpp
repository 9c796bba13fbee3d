// Each fault fixture is found by name, and what is well-made is not found fault with.
#include "plugin_check/check.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "simulator/simulator.h"
#include "unit/plugin_check/subjects.h"

using namespace vmcp;
using namespace vmcp::plugin_check;
using namespace vmcp::plugin_check::test;

namespace {

using Change = std::function<void(CheckOptions&)>;

CheckOptions options_for(const std::string& file, const Change& change = {}) {
  CheckOptions options;
  options.file = file;
  options.program = VMCP_PROGRAM;
  options.calls = 8;
  options.stall = milliseconds(4'000);
  options.runner = VMCP_RUNNER;
  if (change) change(options);
  return options;
}

CheckReport check(const std::string& file, const Change& change = {}) {
  auto report = check_plugin(options_for(file, change));
  REQUIRE_MESSAGE(report.ok(), report.error().text);
  return std::move(*report);
}

// Several at once, since a check mostly waits for what it checks.
std::vector<CheckReport> check_all(const std::vector<std::string>& files, const Change& change = {}) {
  std::vector<std::optional<Result<CheckReport>>> results(files.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < files.size(); at = next++)
        results[at] = check_plugin(options_for(files[at], change));
    });
  for (std::thread& thread : threads) thread.join();
  std::vector<CheckReport> out;
  for (auto& result : results) {
    REQUIRE_MESSAGE(result->ok(), result->error().text);
    out.push_back(std::move(**result));
  }
  return out;
}

std::set<std::string> names(const CheckReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings.all()) out.insert(finding.name);
  return out;
}

struct Simulated {
  SilentLog log;
  simulator::Simulator simulator{settings(), log};
  const VcenterAddress* address() {
    ::signal(SIGPIPE, SIG_IGN);
    if (!simulator.start()) return nullptr;
    address_ = {"127.0.0.1:" + std::to_string(simulator.port()), settings().user,
                settings().password.reveal()};
    return &address_;
  }
  ~Simulated() { simulator.stop(); }

 private:
  static simulator::Settings settings() {
    simulator::Settings out;
    out.vms = 30;
    out.task_time = milliseconds(5);
    return out;
  }
  VcenterAddress address_;
};

void add_vcenter(CheckOptions& options) {
  options.vcenter = []() -> Result<std::shared_ptr<const VcenterAddress>> {
    auto one = std::make_shared<Simulated>();
    const VcenterAddress* const address = one->address();
    if (address == nullptr) return make_error(Code::unavailable, "no simulator");
    return std::shared_ptr<const VcenterAddress>(one, address);
  };
}

const Finding& named(const CheckReport& report, const std::string& name) {
  for (const Finding& finding : report.findings.all())
    if (finding.name == name) return finding;
  FAIL(report_text(report));
  return report.findings.all().front();
}

}  // namespace

TEST_CASE("check: the first-party plugins and the good fixtures give no finding") {
  std::vector<std::string> files;
  for (const char* name : {"vm", "snapshot", "inventory", "resource"}) files.push_back(first_party(name));
  for (const char* name : {"plain", "echo", "needs_input", "slow", "takes_scheme", "offers"})
    files.push_back(fixture(name));
  for (const CheckReport& report : check_all(files, add_vcenter)) {
    CHECK_MESSAGE(report.findings.empty(), report_text(report));
    CHECK(report.tools > 0);
    CHECK(report.calls >= 8 * report.tools);
    // What waits until its deadline may not be comparable.
    if (report.file != fixture("slow")) CHECK_MESSAGE(report.notes.empty(), report_text(report));
  }
}

TEST_CASE("check: each fault has its finding") {
  using Names = std::set<std::string>;
  const std::map<std::string, Names> faults = {
    {"wrong_abi", {"abi-version"}},
    {"null_entry", {"entry-invalid"}},
    {"null_open", {"entry-invalid"}},
    {"null_plugin", {"table-invalid"}},
    {"null_tools", {"table-invalid"}},
    {"null_run", {"table-invalid"}},
    {"short_table", {"table-invalid"}},
    {"refuses_start", {"start-refused"}},
    {"answers_unknown", {"unknown-interface-answered"}},
    {"one_instance", {"second-instance-refused"}},
    {"opens_once", {"second-instance-refused", "reopen-failed"}},
    {"exports_more", {"exports", "late-binding"}},
    {"throws_open", {"open-failed"}},
    {"throws_start", {"start-refused"}},
    {"throws_run", {"tool-fault"}},
    {"throws_preview", {"tool-fault"}},
    {"throws_quiesce", {"quiesce-failed"}},
    {"throws_close", {"close-failed"}},
    {"leaks_open", {"exception-crosses-abi"}},
    {"leaks_start", {"exception-crosses-abi"}},
    {"leaks_run", {"exception-crosses-abi"}},
    {"leaks_preview", {"exception-crosses-abi"}},
    {"leaks_quiesce", {"exception-crosses-abi"}},
    {"leaks_close", {"exception-crosses-abi"}},
    {"duplicate_tool", {"tool-refused"}},
    {"schema_host_argument", {"tool-refused"}},
    {"schema_ring", {"schema-not-enforceable", "tool-refused"}},
    {"schema_not_object", {"schema-not-enforceable", "manifest-differs", "interfaces-differ"}},
    {"schema_not_json", {"schema-not-enforceable", "manifest-differs", "interfaces-differ"}},
    {"lying_manifest", {"manifest-differs", "interfaces-differ"}},
    {"never_returns", {"does-not-return"}},
    {"oversized", {"output-over-limit"}},
    {"changes_other_vm", {"request-not-allowed"}},
    {"misbehaves_crash", {"crashed"}},
    {"misbehaves_stack", {"crashed"}},
    {"misbehaves_exit", {"ended-the-process"}},
    {"misbehaves_thread", {"threads-left"}},
    {"misbehaves_print", {"writes-to-stdout"}},
    {"misbehaves_bad_output", {"answer-not-as-declared"}},
    {"misbehaves_nothing", {"answer-not-as-declared"}},
    {"misbehaves_suspend", {"suspended-for-nothing"}},
    {"misbehaves_status", {"unknown-status"}},
    {"misbehaves_other_thread", {"wrong-thread"}},
    {"misbehaves_keeps", {"call-kept"}},
    {"misbehaves_fails_and_ok", {"fails-and-says-ok"}},
    {"misbehaves_no_answer", {"answer-missing"}},
    {"misbehaves_asks_forever", {"rounds-do-not-end"}},
    {"misbehaves_deaf", {"slow-to-cancel"}},
#if !defined(__SANITIZE_ADDRESS__)  // under which memory has no bound
    {"misbehaves_hungry", {"tool-fault"}},
#endif
    {"misbehaves_late_cancel", {"crashed"}},
    {"only_here_state", {"state-not-carried"}},
    {"only_here_environment", {"differs-in-child"}},
    {"needs_config", {"config-needed"}},
    {"needs_config_unsaid", {"config-needed"}},
    {"offers_not_readable", {"listed-not-readable"}},
    {"offers_no_contents", {"answer-missing"}},
    {"offers_other_type", {"answer-not-as-declared"}},
    {"offers_foreign_contents", {"answer-not-as-declared"}},
    {"offers_throws", {"tool-fault"}},
    {"offers_breaks", {"crashed"}},
    {"offers_no_message", {"answer-missing"}},
    {"offers_too_much", {"output-over-limit"}},
    {"offers_bad_completion", {"completion-invalid"}},
    {"offers_suspends", {"completion-invalid"}},
    {"answers_any_uri", {"unknown-uri-answered"}},
    {"misbehaves_contradicts", {"effect-contradicts", "tool-refused"}},
    // One of its jobs breaks on purpose.
    {"everything", {"tool-fault"}},
  };
  std::vector<std::string> files;
  for (const auto& [name, expected] : faults) files.push_back(fixture(name));
  const auto reports = check_all(files);
  auto report_of = reports.begin();
  for (const auto& [name, expected] : faults) {
    CAPTURE(name);
    const CheckReport& report = *report_of++;
    CHECK_MESSAGE(names(report) == expected, report_text(report));
    for (const Finding& finding : report.findings.all()) CHECK(fix_of(finding.name).size() > 10);
  }
}

TEST_CASE("check: a crash is reported with the call that it was in, and replays with its seed") {
  const CheckReport first = check(fixture("misbehaves_crash"));
  const Finding& crash = named(first, "crashed");
  CHECK(crash.where == "tool misbehaves");
  CHECK(crash.saw.find("Abort") != std::string::npos);
  CHECK(crash.arguments.starts_with("{\"n\":"));
  CHECK(named(check(fixture("misbehaves_crash")), "crashed").arguments == crash.arguments);
  std::set<std::string> others;
  for (std::uint64_t seed = 2; seed < 12; ++seed)
    others.insert(
        named(check(fixture("misbehaves_crash"), [&](CheckOptions& o) { o.seed = seed; }), "crashed")
            .arguments);
  CHECK(others.size() > 1);
}

TEST_CASE("check: what a vCenter's answer breaks is found when there is one that answers") {
  for (const char* name : {"breaks_on_list", "breaks_on_vm"}) {
    CAPTURE(name);
    CHECK(check(fixture(name)).findings.empty());
    const CheckReport report = check(fixture(name), add_vcenter);
    CHECK(names(report) == std::set<std::string>{"crashed"});
  }
}

TEST_CASE("check: a vCenter that cannot be reached is said, and is no finding") {
  const CheckReport report = check(fixture("breaks_on_list"), [](CheckOptions& o) {
    o.vcenter = [] {
      return Result<std::shared_ptr<const VcenterAddress>>(
          std::make_shared<const VcenterAddress>(VcenterAddress{"127.0.0.1:1", "nobody", "nothing"}));
    };
  });
  CHECK(report.findings.empty());
  REQUIRE(!report.notes.empty());
  CHECK(report.notes.front().find("no vCenter answered") != std::string::npos);
}

TEST_CASE("check: a crash of a cancelled call names the callback at which it was cancelled") {
  const CheckReport report = check(fixture("misbehaves_late_cancel"));
  CHECK(named(report, "crashed").where == "tool misbehaves, cancelled at callback 2");
}

TEST_CASE("check: what differs from run to run, or has no other process to be compared with, is only noted") {
  const CheckReport differs = check(fixture("only_here_differs"));
  CHECK(differs.findings.empty());
  REQUIRE(differs.notes.size() == 1);
  CHECK(differs.notes.front().find("tool only_here was not compared") != std::string::npos);
  const CheckReport wavers = check(fixture("only_here_wavers"));
  CHECK_MESSAGE(wavers.findings.empty(), report_text(wavers));
  REQUIRE(!wavers.notes.empty());
  CHECK(wavers.notes.front().find("differ from run to run") != std::string::npos);
  const CheckReport alone =
      check(fixture("only_here_environment"), [](CheckOptions& o) { o.runner = "/nowhere/runner"; });
  CHECK(alone.findings.empty());
  REQUIRE(alone.notes.size() == 1);
  CHECK(alone.notes.front().find("/nowhere/runner") != std::string::npos);
}

TEST_CASE("check: a plugin gets the configuration that is given, if its schema accepts it") {
  const auto with = [](const char* config) {
    return check(fixture("needs_config"), [&](CheckOptions& o) { o.config = *parse_json(config); });
  };
  const CheckReport none = check(fixture("needs_config"));
  CHECK(named(none, "config-needed").saw.find("endpoint") != std::string::npos);
  CHECK(none.calls == 0);
  const CheckReport wrong = with(R"({"endpoint":"elsewhere"})");
  CHECK(named(wrong, "config-refused").saw.find("endpoint") != std::string::npos);
  const CheckReport right = with(R"({"endpoint":"ledger:1234"})");
  CHECK(right.findings.empty());
  CHECK(right.calls > 8);
  const CheckReport takes_none = check(fixture("echo"), [](CheckOptions& o) {
    o.config = Json{{"endpoint", "x"}};
  });
  CHECK(named(takes_none, "config-refused").where == "configuration");
}

TEST_CASE("check: one tool alone is called when it is named, and an unknown one is an error") {
  const CheckReport report = check(first_party("vm"), [](CheckOptions& o) { o.tool = "list_vms"; });
  CHECK(report.tools == 1);
  CheckOptions options;
  options.file = first_party("vm");
  options.tool = "no_such_tool";
  const auto unknown = check_plugin(options);
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().text.find("no_such_tool") != std::string::npos);
}

TEST_CASE("check: a file that is no library is an error, a library without manifest a finding") {
  CheckOptions options;
  options.file = __FILE__;
  CHECK_FALSE(check_plugin(options).ok());
  const std::string program = VMCP_PROGRAM;
  options.file = program;
  const auto report = check_plugin(options);
  REQUIRE(report.ok());
  CHECK(names(*report).count("manifest-unreadable") == 1);
  CHECK(names(*report).count("exports") == 1);
}

TEST_CASE("check: the JSON report says the same as the text") {
  const CheckReport report = check(fixture("misbehaves_status"));
  const auto json = parse_trusted_json(report_json(report));
  REQUIRE(json.ok());
  CHECK((*json)["ok"] == false);
  CHECK((*json)["findings"][0]["name"] == "unknown-status");
  CHECK((*json)["findings"][0]["fix"] == std::string(fix_of("unknown-status")));
  CHECK(report_text(report).find("unknown-status: tool misbehaves\n") != std::string::npos);
}

TEST_CASE("check: the list of findings in the SDK's documents is that of the code") {
  const std::string document = bytes_of(VMCP_SOURCE_DIRECTORY "/sdk/FINDINGS.md");
  const auto begin = document.find("| Finding |");
  REQUIRE(begin != std::string::npos);
  // Else: put the output of `vsphere-mcp-pro plugin check --findings` there.
  CHECK(document.substr(begin) == findings_table());
}

TEST_CASE("check: every finding has a name of its own and a fix") {
  std::set<std::string_view> seen;
  for (const KnownFinding& known : known_findings()) {
    CHECK(seen.insert(known.name).second);
    CHECK(known.fix.size() > 10);
  }
}
