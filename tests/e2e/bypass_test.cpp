// Named attempts to get past the guard chain, as bytes. None succeeds, and the embedded vCenter, asked over
// its admin path, received no changing request.
#include <doctest/doctest.h>

#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

struct Attempt {
  const char* name;
  const char* says;  // what the refusal must name: refused for another reason is no proof
  std::string body;
  std::string authorization = "Bearer demo-admin";
  std::string path = "/mcp";
  std::vector<std::pair<std::string, std::string>> more = {};
};

std::string call_body(const std::string& tool, const std::string& arguments, const std::string& more = {}) {
  return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" +
         arguments + more + "}}";
}

std::string on(const std::string& vm, const std::string& more = {}) {
  return call_body("power_off_vm", R"({"vm_id":")" + vm + "\"" + more + "}");
}

// vm-1007 is voice-batch-01, which a rule denies by name; vm-1012 is dns-lb-01, which is open to admin.
std::vector<Attempt> attempts() {
  const std::string open = R"("vm_id":"vm-1012")";
  return {
      {"denied by name, asked by id", "There is no virtual machine", on("vm-1007")},
      {"denied by name, asked by name", "There is no virtual machine", on("voice-batch-01")},
      {"denied by name, asked by path", "There is no virtual machine",
       on("/north/vm/Production/Web/voice-batch-01")},
      {"name with a trailing space", "There is no virtual machine", on("voice-batch-01 ")},
      {"name in other case", "There is no virtual machine", on("VOICE-BATCH-01")},
      {"name as unicode escapes", "There is no virtual machine 'voice-batch-01'",
       on(R"(\u0076oice-batch-01)")},
      {"name with a Cyrillic o", "There is no virtual machine", on("v\xd0\xbeice-batch-01")},
      {"id with a trailing NUL", "There is no virtual machine", on(R"(vm-1007\u0000)")},
      {"duplicate argument", "duplicate key", on("vm-1012", R"(,"vm_id":"vm-1007")")},
      {"duplicate argument by an escape", "duplicate key", on("vm-1012", R"(,"vm\u005fid":"vm-1007")")},
      {"argument in another case", "differ only in case", on("vm-1012", R"(,"VM_ID":"vm-1007")")},
      {"duplicate tool name", "duplicate key",
       call_body("get_vm_details", "{" + open + "}", R"(,"name":"power_off_vm")")},
      {"tool name with a trailing space", "Unknown tool", call_body("power_off_vm ", "{" + open + "}")},
      {"tool name in another case", "Unknown tool", call_body("Power_Off_Vm", "{" + open + "}")},
      {"reader calls it by an escape", "role 'read' may not call 'power_off_vm'",
       call_body(R"(power\u005foff_vm)", "{" + open + "}"), "Bearer demo-read"},
      {"confirm as a text", "/confirm: expected true or false",
       call_body("delete_vm", "{" + open + R"(,"confirm":"true"})")},
      {"confirm as a number", "/confirm: expected true or false",
       call_body("delete_vm", "{" + open + R"(,"confirm":1})")},
      {"confirm nested", "/confirm: expected true or false",
       call_body("delete_vm", "{" + open + R"(,"confirm":{"confirm":true}})")},
      {"Confirm", "/Confirm: unknown property", call_body("delete_vm", "{" + open + R"(,"Confirm":true})")},
      {"confirm twice", "duplicate key",
       call_body("delete_vm", "{" + open + R"(,"confirm":false,"confirm":true})")},
      {"confirm beside the arguments", "needs confirm=true",
       call_body("delete_vm", "{" + open + "}", R"(,"confirm":true)")},
      {"dry_run as a text", "/dry_run: expected true or false", on("vm-1012", R"(,"dry_run":"false")")},
      {"above the range", "denied here by rule 'small'",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":9,"confirm":true})")},
      {"a fraction", "expected an integer",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":8.5,"confirm":true})")},
      {"a number as a text", "expected an integer",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":"8","confirm":true})")},
      {"9.0 is the integer 9", "denied here by rule 'small'",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":9.0,"confirm":true})")},
      {"1e400", "Invalid JSON", call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":1e400})")},
      {"NaN", "Invalid JSON", call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":NaN})")},
      {"token in the query", "Authentication required", on("vm-1012"), "", "/mcp?token=demo-admin"},
      {"token in a cookie",
       "Authentication required",
       on("vm-1012"),
       "",
       "/mcp",
       {{"Cookie", "token=demo-admin"}}},
      {"two Authorization headers",
       "occurs more than once",
       on("vm-1012"),
       "Bearer demo-read",
       "/mcp",
       {{"Authorization", "Bearer demo-admin"}}},
      {"token as an argument", "role 'read' may not call", on("vm-1012", R"(,"token":"demo-admin")"),
       "Bearer demo-read"},
  };
}

std::string came_of(const Answer& answer) {
  const Json body = answer.json();
  if (!body.is_object()) return "nothing: " + answer.body;
  if (body.contains("error")) return "refused";
  return body.contains("result") && body["result"].value("isError", false) ? "refused" : "success";
}

}  // namespace

TEST_CASE("bypass: no attempt of the corpus succeeds or reaches the vCenter") {
  const Site site(
      {},
      "[[policy.rule]]\nname = \"no-voice\"\neffect = \"deny\"\ntools = [\"*\"]\n"
      "targets = { names = [\"voice-*\"] }\n[[policy.rule]]\nname = \"small\"\neffect = \"deny\"\n"
      "tools = [\"modify_vm_resources\"]\narguments = { cpu_count = { min = 9 } }\n");
  const ServerProcess server(site.options());
  for (const auto& [id, name] : {std::pair("vm-1007", "voice-batch-01"), std::pair("vm-1012", "dns-lb-01")}) {
    const std::string path = std::string("/simulator/state/vm/") + id;
    REQUIRE(send(server.simulator_port(), "GET", path, {}, "").json().value("name", "") == name);
  }
  for (const Attempt& attempt : attempts()) {
    std::vector<std::pair<std::string, std::string>> headers = {{"Content-Type", "application/json"}};
    if (!attempt.authorization.empty()) headers.emplace_back("Authorization", attempt.authorization);
    headers.insert(headers.end(), attempt.more.begin(), attempt.more.end());
    const Answer answer = send(server.port(), "POST", attempt.path, headers, attempt.body);
    const bool refused = came_of(answer) == "refused" && answer.body.find(attempt.says) != std::string::npos;
    CHECK_MESSAGE(refused, std::string(attempt.name), ": ", answer.status, " ", answer.body);
  }
  const auto changing = [&] {
    return send(server.simulator_port(), "GET", "/simulator/requests", {}, "").json().value("changing", -1);
  };
  CHECK(changing() == 0);
  // The counter counts: the open one is switched off.
  CHECK(came_of(call_tool(server.port(), "demo-admin", "power_off_vm", {{"vm_id", "vm-1012"}})) == "success");
  CHECK(changing() == 1);
}
