// Each fault fixture is found by name, and what is well-made is not found fault with.
#include "plugin_check/check.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <set>

#include "base/json.h"
#include "unit/plugin_check/subjects.h"

using namespace vmcp;
using namespace vmcp::plugin_check;
using namespace vmcp::plugin_check::test;

namespace {

CheckReport check(const std::string& file, const std::function<void(CheckOptions&)>& change = {}) {
  CheckOptions options;
  options.file = file;
  options.program = VMCP_PROGRAM;
  options.calls = 8;
  options.stall = milliseconds(4'000);
  if (change) change(options);
  auto report = check_plugin(options);
  REQUIRE_MESSAGE(report.ok(), report.error().text);
  return std::move(*report);
}

std::set<std::string> names(const CheckReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings.all()) out.insert(finding.name);
  return out;
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
  for (const char* name : {"plain", "echo", "needs_input", "slow", "takes_scheme"})
    files.push_back(fixture(name));
  for (const std::string& file : files) {
    const CheckReport report = check(file);
    CHECK_MESSAGE(report.findings.empty(), report_text(report));
    CHECK(report.tools > 0);
    CHECK(report.calls >= 8 * report.tools);
    CHECK(report.notes.empty());
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
    {"misbehaves_contradicts", {"effect-contradicts", "tool-refused"}},
    // One of its jobs breaks on purpose.
    {"everything", {"tool-fault"}},
  };
  for (const auto& [name, expected] : faults) {
    CAPTURE(name);
    const CheckReport report = check(fixture(name));
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

TEST_CASE("check: every finding has a name of its own and a fix") {
  std::set<std::string_view> seen;
  for (const KnownFinding& known : known_findings()) {
    CHECK(seen.insert(known.name).second);
    CHECK(known.fix.size() > 10);
  }
}
