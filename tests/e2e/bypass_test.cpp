// Named attempts to get past the guard chain, as bytes. None succeeds, and the embedded vCenter, asked over
// its admin path, received no changing request.
#include <doctest/doctest.h>

#include "e2e/corpus.h"
#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

std::string on(const std::string& vm, const std::string& more = {}) {
  return call_body("power_off_vm", R"({"vm_id":")" + vm + "\"" + more + "}");
}

// vm-1007 is voice-batch-01, which a rule denies by name; vm-1012 is dns-lb-01, which is open to admin.
std::vector<Attempt> attempts() {
  const std::string open = R"("vm_id":"vm-1012")";
  return {
      {"denied by name, asked by id", "There is no virtual machine", "resolve", {on("vm-1007")}},
      {"denied by name, asked by name", "There is no virtual machine", "resolve", {on("voice-batch-01")}},
      {"denied by name, asked by path",
       "There is no virtual machine",
       "resolve",
       {on("/north/vm/Production/Web/voice-batch-01")}},
      {"name with a trailing space", "There is no virtual machine", "resolve", {on("voice-batch-01 ")}},
      {"name in other case", "There is no virtual machine", "resolve", {on("VOICE-BATCH-01")}},
      {"name as unicode escapes",
       "There is no virtual machine 'voice-batch-01'",
       "resolve",
       {on(R"(\u0076oice-batch-01)")}},
      {"name with a Cyrillic o", "There is no virtual machine", "resolve", {on("v\xd0\xbeice-batch-01")}},
      {"id with a trailing NUL", "There is no virtual machine", "resolve", {on(R"(vm-1007\u0000)")}},
      {"duplicate argument", "duplicate key", "parse", {on("vm-1012", R"(,"vm_id":"vm-1007")")}},
      {"duplicate argument by an escape",
       "duplicate key",
       "parse",
       {on("vm-1012", R"(,"vm\u005fid":"vm-1007")")}},
      {"argument in another case", "differ only in case", "parse", {on("vm-1012", R"(,"VM_ID":"vm-1007")")}},
      {"duplicate tool name",
       "duplicate key",
       "parse",
       {call_body("get_vm_details", "{" + open + "}", R"(,"name":"power_off_vm")")}},
      {"tool name with a trailing space",
       "Unknown tool",
       "authorise",
       {call_body("power_off_vm ", "{" + open + "}")}},
      {"tool name in another case",
       "Unknown tool",
       "authorise",
       {call_body("Power_Off_Vm", "{" + open + "}")}},
      {"reader calls it by an escape",
       "role 'read' may not call 'power_off_vm'",
       "authorise",
       {call_body(R"(power\u005foff_vm)", "{" + open + "}"), "demo-read"}},
      {"confirm as a text",
       "/confirm: expected true or false",
       "resolve",
       {call_body("delete_vm", "{" + open + R"(,"confirm":"true"})")}},
      {"confirm as a number",
       "/confirm: expected true or false",
       "resolve",
       {call_body("delete_vm", "{" + open + R"(,"confirm":1})")}},
      {"confirm nested",
       "/confirm: expected true or false",
       "resolve",
       {call_body("delete_vm", "{" + open + R"(,"confirm":{"confirm":true}})")}},
      {"Confirm",
       "/Confirm: unknown property",
       "resolve",
       {call_body("delete_vm", "{" + open + R"(,"Confirm":true})")}},
      {"confirm twice",
       "duplicate key",
       "parse",
       {call_body("delete_vm", "{" + open + R"(,"confirm":false,"confirm":true})")}},
      {"confirm beside the arguments",
       "needs confirm=true",
       "confirm",
       {call_body("delete_vm", "{" + open + "}", R"(,"confirm":true)")}},
      {"dry_run as a text",
       "/dry_run: expected true or false",
       "resolve",
       {on("vm-1012", R"(,"dry_run":"false")")}},
      {"above the range",
       "denied here by rule 'small'",
       "authorise_targets",
       {call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":9,"confirm":true})")}},
      {"a fraction",
       "expected an integer",
       "resolve",
       {call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":8.5,"confirm":true})")}},
      {"a number as a text",
       "expected an integer",
       "resolve",
       {call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":"8","confirm":true})")}},
      {"9.0 is the integer 9",
       "denied here by rule 'small'",
       "authorise_targets",
       {call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":9.0,"confirm":true})")}},
      {"1e400",
       "Invalid JSON",
       "parse",
       {call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":1e400})")}},
      {"NaN",
       "Invalid JSON",
       "parse",
       {call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":NaN})")}},
      {"token in the query",
       "Authentication required",
       "authenticate",
       {on("vm-1012"), "", {}, "/mcp?token=demo-admin"}},
      {"token in a cookie",
       "Authentication required",
       "authenticate",
       {on("vm-1012"), "", {{"Cookie", "token=demo-admin"}}}},
      {"two Authorization headers",
       "occurs more than once",
       "authenticate",
       {on("vm-1012"), "demo-read", {{"Authorization", "Bearer demo-admin"}}}},
      {"token as an argument",
       "role 'read' may not call",
       "authorise",
       {on("vm-1012", R"(,"token":"demo-admin")"), "demo-read"}},
  };
}

}  // namespace

TEST_CASE("bypass: no attempt of the corpus succeeds or reaches the vCenter") {
  const Site site(
      {},
      "[[policy.rule]]\nname = \"no-voice\"\neffect = \"deny\"\ntools = [\"*\"]\n"
      "targets = { names = [\"voice-*\"] }\n[[policy.rule]]\nname = \"small\"\neffect = \"deny\"\n"
      "tools = [\"modify_vm_resources\"]\narguments = { cpu_count = { min = 9 } }\n");
  Corpus corpus(site.options());
  REQUIRE(corpus.vm("vm-1007").value("name", "") == "voice-batch-01");
  REQUIRE(corpus.vm("vm-1012").value("name", "") == "dns-lb-01");
  for (const Attempt& attempt : attempts()) corpus.attempt(attempt);
  CHECK(corpus.changing() == 0);
  // The counter counts: the open one is switched off.
  CHECK(corpus.send({on("vm-1012")}).works());
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}
