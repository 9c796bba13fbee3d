// Named attempts to get past the guard chain, as bytes. None succeeds, and the embedded vCenter, asked over
// its admin path, received no changing request.
#include <doctest/doctest.h>

#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

struct Attempt {
  const char* name;
  const char* expected;  // "401", "protocol" (a JSON-RPC error) or "tool" (isError)
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
      {"denied by name, asked by id", "tool", on("vm-1007")},
      {"denied by name, asked by name", "tool", on("voice-batch-01")},
      {"denied by name, asked by path", "tool", on("/north/vm/Production/Web/voice-batch-01")},
      {"name with a trailing space", "tool", on("voice-batch-01 ")},
      {"name in other case", "tool", on("VOICE-BATCH-01")},
      {"name as unicode escapes", "tool", on(R"(\u0076oice-batch-01)")},
      {"name with a Cyrillic o", "tool", on("v\xd0\xbeice-batch-01")},
      {"id with a trailing NUL", "tool", on(R"(vm-1007\u0000)")},
      {"duplicate argument", "protocol", on("vm-1012", R"(,"vm_id":"vm-1007")")},
      {"duplicate argument by an escape", "protocol", on("vm-1012", R"(,"vm\u005fid":"vm-1007")")},
      {"argument in another case", "protocol", on("vm-1012", R"(,"VM_ID":"vm-1007")")},
      {"duplicate tool name", "protocol",
       call_body("get_vm_details", "{" + open + "}", R"(,"name":"power_off_vm")")},
      {"tool name with a trailing space", "protocol", call_body("power_off_vm ", "{" + open + "}")},
      {"tool name in another case", "protocol", call_body("Power_Off_Vm", "{" + open + "}")},
      {"reader calls it by an escape", "tool", call_body(R"(power\u005foff_vm)", "{" + open + "}"),
       "Bearer demo-read"},
      {"confirm as a text", "tool", call_body("delete_vm", "{" + open + R"(,"confirm":"true"})")},
      {"confirm as a number", "tool", call_body("delete_vm", "{" + open + R"(,"confirm":1})")},
      {"confirm nested", "tool", call_body("delete_vm", "{" + open + R"(,"confirm":{"confirm":true}})")},
      {"Confirm", "tool", call_body("delete_vm", "{" + open + R"(,"Confirm":true})")},
      {"confirm twice", "protocol",
       call_body("delete_vm", "{" + open + R"(,"confirm":false,"confirm":true})")},
      {"confirm beside the arguments", "tool",
       call_body("delete_vm", "{" + open + "}", R"(,"confirm":true)")},
      {"dry_run as a text", "tool", on("vm-1012", R"(,"dry_run":"false")")},
      {"above the range", "tool",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":9,"confirm":true})")},
      {"a fraction", "tool",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":8.5,"confirm":true})")},
      {"a number as a text", "tool",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":"8","confirm":true})")},
      {"9.0 is the integer 9", "tool",
       call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":9.0,"confirm":true})")},
      {"1e400", "protocol", call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":1e400})")},
      {"NaN", "protocol", call_body("modify_vm_resources", "{" + open + R"(,"cpu_count":NaN})")},
      {"token in the query", "401", on("vm-1012"), "", "/mcp?token=demo-admin"},
      {"token in a cookie", "401", on("vm-1012"), "", "/mcp", {{"Cookie", "token=demo-admin"}}},
      {"two Authorization headers",
       "401",
       on("vm-1012"),
       "Bearer demo-read",
       "/mcp",
       {{"Authorization", "Bearer demo-admin"}}},
      {"token as an argument", "tool", on("vm-1012", R"(,"token":"demo-admin")"), "Bearer demo-read"},
  };
}

std::string came_of(const Answer& answer) {
  if (answer.status == 401) return "401";
  const Json body = answer.json();
  if (!body.is_object()) return "nothing: " + answer.body;
  if (body.contains("error")) return "protocol";
  return body.contains("result") && body["result"].value("isError", false) ? "tool" : "success";
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
    CHECK_MESSAGE(came_of(answer) == attempt.expected, std::string(attempt.name), ": ", answer.status, " ",
                  answer.body);
  }
  const auto changing = [&] {
    return send(server.simulator_port(), "GET", "/simulator/requests", {}, "").json().value("changing", -1);
  };
  CHECK(changing() == 0);
  // The counter counts: the open one is switched off.
  CHECK(came_of(call_tool(server.port(), "demo-admin", "power_off_vm", {{"vm_id", "vm-1012"}})) == "success");
  CHECK(changing() == 1);
}
